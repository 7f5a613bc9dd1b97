//! Comparison of sluicegate with other TCP proxies, with another build of itself, and with no
//! proxy: the same backends and the same clients, one proxy at a time, in short slices that
//! alternate.
//!
//! Started by `benches/peers/run`; see the README beside it. The same program also runs the
//! backends and the simplest of the proxies, each in a process of its own.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod backends;
mod cli;
mod environment;
mod figure;
mod instance;
mod load;
mod peers;
mod ports;
mod process;
mod report;
mod results;
mod scenario;
mod slice;
mod socket;
mod usage;

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Options, Task};
use crate::environment::Environment;
use crate::figure::Figures;
use crate::instance::Instance;
use crate::peers::{DIRECT, Proxy};
use crate::ports::Ports;
use crate::results::Results;
use crate::scenario::Scenario;

/// Number of idle connections, if the limit of descriptors allows them.
const IDLE: usize = 8_000;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let result = match arguments.split_first() {
        Some((role, rest)) if role == process::BOUND => process::become_bound(rest),
        Some((role, rest)) if role == backends::BACKENDS => {
            ports_in(rest).and_then(|ports| backends::run(&ports))
        }
        Some((role, rest)) if role == peers::RELAY => {
            ports_in(rest).and_then(|ports| on_this_thread(peers::relay(&ports)))
        }
        Some((role, rest)) if role == peers::FLOOR_RELAY => {
            ports_in(rest).and_then(|ports| peers::floor(&ports))
        }
        _ => on_this_thread(compare()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn on_this_thread(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(task)
}

fn ports_in(arguments: &[OsString]) -> anyhow::Result<Vec<u16>> {
    let port = |argument: &OsString| argument.to_str().and_then(|text| text.parse().ok());
    arguments.iter().map(port).collect::<Option<_>>().context("not a port")
}

async fn compare() -> anyhow::Result<()> {
    let options = match cli::parse() {
        Ok(Task::Measure(options)) => options,
        Ok(Task::Help) => {
            print!("{}", cli::HELP);
            return Ok(());
        }
        Err(error) => anyhow::bail!("{error}\nTry --help."),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // What is dropped on the way out ends its processes and removes its files.
    tokio::select! {
        measured = measure(&options) => measured,
        _ = terminate.recv() => anyhow::bail!("stopped"),
        _ = interrupt.recv() => anyhow::bail!("stopped"),
    }
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    usage::can_be_read()?;
    let files = usize::try_from(process::raise_file_limit()?)?;
    // A proxy has two sockets for each connection, and a reserve.
    let idle = if options.quick { 200 } else { IDLE.min(files.saturating_sub(1_000) / 2) };
    let mut scenarios = Scenario::all(idle);
    scenarios.retain(|scenario| scenario.name().contains(&options.only));
    anyhow::ensure!(!scenarios.is_empty(), "no scenario has {} in its name", options.only);
    let proxies = peers::find(&options.proxies, options.baseline.as_deref())?;
    let environment = Environment::of(&proxies);
    eprintln!("{}", environment.told());

    let folder = tempfile::tempdir()?;
    let bench = Bench { options, proxies, ports: Ports::new(), folder: folder.path() };
    let (results, failed) = bench.run(&scenarios).await?;
    report::write(&results, &scenarios, &environment, &options.out)?;
    anyhow::ensure!(failed == 0, "{failed} slices failed");
    Ok(())
}

/// Settings and proxies of a run.
struct Bench<'a> {
    options: &'a Options,
    proxies: Vec<Box<dyn Proxy>>,
    ports: Ports,
    folder: &'a Path,
}

impl Bench<'_> {
    /// Runs every proxy in every scenario in every round. Returns the number of failed slices too.
    async fn run(&self, scenarios: &[Scenario]) -> anyhow::Result<(Results, usize)> {
        let mut instances = Vec::new();
        for proxy in &self.proxies {
            instances.push(self.start(proxy.as_ref()).await?);
        }
        let mut results = Results::of(self.proxies.iter().map(|proxy| proxy.name()).collect());
        let mut failed = 0;
        for round in 0..self.options.rounds {
            for (turn, scenario) in scenarios.iter().enumerate() {
                eprint!("round {} of {}: {}:", round + 1, self.options.rounds, scenario.name());
                let is_measured = |index: &usize| {
                    self.proxies[*index].name() != DIRECT || scenario.has_reference()
                };
                let mut turns: Vec<_> = (0..self.proxies.len()).filter(is_measured).collect();
                // In a random order, so that no proxy always follows the same other one.
                fastrand::Rng::with_seed((round * scenarios.len() + turn) as u64)
                    .shuffle(&mut turns);
                for index in turns {
                    let (proxy, instance) = (self.proxies[index].as_ref(), &mut instances[index]);
                    match self.slice(*scenario, proxy, instance).await {
                        Ok(figures) => {
                            eprint!(" {}", proxy.name());
                            results.add(*scenario, proxy.name(), round, figures);
                        }
                        Err(error) => {
                            failed += 1;
                            eprintln!("\n{} failed: {error:#}", proxy.name());
                            *instance = self.start(proxy).await?;
                        }
                    }
                }
                eprintln!();
            }
        }
        Ok((results, failed))
    }

    async fn slice(
        &self,
        scenario: Scenario,
        proxy: &dyn Proxy,
        instance: &mut Instance,
    ) -> anyhow::Result<Figures> {
        // A process that used memory before would use it again, without growth.
        if let Scenario::Idle { .. } = scenario {
            *instance = self.start(proxy).await?;
        }
        slice::run(scenario, instance, self.options.slice).await
    }

    async fn start(&self, proxy: &dyn Proxy) -> anyhow::Result<Instance> {
        Instance::start(proxy, &self.ports, self.folder).await
    }
}
