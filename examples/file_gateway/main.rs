//! A TCP gateway from manifests in files.
//!
//! `cargo run --example file_gateway` runs the walk-through in `examples/tcp-routing` and plays the
//! cluster's part for it; `cargo run --example file_gateway -- PATH...` runs any manifests against
//! real addresses.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod changes;
mod cli;
mod echo;
mod log;
mod pods;
mod stand_in;
mod table;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluicegate::forward::Settings;
use sluicegate::sources::FileSource;
use sluicegate::{Report, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Options, Task};
use crate::log::Log;
use crate::stand_in::StandIn;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match cli::parse() {
        Ok(Task::Run(options)) => options,
        Ok(Task::Help) => {
            print!("{}", cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("file_gateway: {error}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("file_gateway: {}", with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

/// The error and what caused it, on one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    sources.fold(error.to_string(), |text, source| {
        let source = source.to_string();
        // Some errors contain the text of their source.
        if text.contains(&source) { text } else { format!("{text}: {source}") }
    })
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    raise_descriptor_limit();
    let log = Log::start(options.quiet)?;
    let result = serve(options).await;
    log.finish();
    result
}

async fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let files = FileSource::new(&options.paths);
    let mut gateway = Server::builder();
    gateway = match options.play_pods {
        true => gateway.source(StandIn::new(files, options.paths.clone())),
        false => gateway.source(files),
    };
    // The connections of a listener that is removed get as much time as those of a stop.
    let mut forward = Settings::default().with_drain_timeout(options.drain_timeout);
    if let Some(workers) = options.workers {
        forward = forward.with_workers(workers);
    }
    gateway = gateway.forward(forward);
    if let Some(address) = options.bind {
        gateway = gateway.bind(address);
    }
    if let Some(name) = options.controller_name {
        gateway = gateway.controller_name(name);
    }
    let gateway = tokio::select! {
        started = gateway.start() => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };

    let mut reports = gateway.reports();
    let mut last: Option<Arc<Report>> = None;
    loop {
        tokio::select! {
            Some(report) = reports.next() => {
                let lines = match &last {
                    None => introduction(&options.paths, &report),
                    Some(last) => changes::lines(last, &report),
                };
                lines.iter().for_each(|line| say(line));
                last = Some(report);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    let live: u64 = gateway.counters().listeners().values().map(|listener| listener.active()).sum();
    say(&format!(
        "\nStopping: no new connections; {live} live may finish within {} s. Once more to stop at once.",
        options.drain_timeout.as_secs_f32()
    ));
    tokio::select! {
        () = gateway.drain(options.drain_timeout) => {
            say("Stopped.");
            return Ok(());
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // The gateway resets what still lives, and ends its reports when that is done.
    while reports.next().await.is_some() {}
    say("Stopped at once.");
    Ok(())
}

/// Prints a line. That nobody can read it any more is no reason to stop forwarding.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The state at the start, and what to do next.
fn introduction(paths: &[PathBuf], report: &Report) -> Vec<String> {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut lines = vec![format!("Reading {}\n", paths.join(", "))];
    lines.extend(report.problems.iter().map(|problem| format!("PROBLEM  {problem}")));
    if !report.problems.is_empty() {
        lines.push(String::new());
    }
    if report.resources.is_empty() {
        lines.push("There are no objects yet.\n".to_owned());
    }
    lines.push(table::gateways(report));
    lines.push(table::routes(report));
    for (object, why) in &report.unmanaged {
        lines.push(format!("{object} is unmanaged: {why}.\n"));
    }
    let bound: Vec<_> = table::listeners(report)
        .filter_map(|(id, _)| report.listeners.get(&id))
        .flat_map(|listener| &listener.bound)
        .collect();
    if !bound.is_empty() {
        lines.push("Try:".to_owned());
    }
    for address in bound {
        // Where all interfaces are bound, this host reaches itself by the shortest way.
        let ip = match address.ip() {
            ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        };
        lines.push(format!("  nc -zv {ip} {}", address.port()));
        lines.push(format!("  curl -i http://{}", SocketAddr::new(ip, address.port())));
    }
    lines.push("\nEdit the files and watch. Ctrl-C stops.\n".to_owned());
    lines
}

/// As many descriptors as the system allows: every connection takes two, and the limit that a
/// program is started with is low, for the sake of old programs that would not bear a higher one.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it may not be raised, the gateway does with what there is, and says what it lacks.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
