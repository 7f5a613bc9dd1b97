//! A TCP gateway for manifests in files, with a walk-through.
//!
//! `cargo run --example file_gateway` runs the walk-through in `examples/tcp-routing`, with echo
//! servers in place of the pods. `cargo run --example file_gateway -- PATH...` runs other
//! manifests. The program `sluicegate run --files` is the same gateway for production use.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod changes;
mod cli;
mod echo;
mod introduction;
mod log;
mod pods;
mod simulated_cluster;
mod stop_signals;
// These modules of the program are shared, so that both report errors and conditions alike.
#[path = "../../src/bin/sluicegate/error_chain.rs"]
mod error_chain;
#[path = "../../src/bin/sluicegate/status_log.rs"]
mod status_log;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use sluicegate::forward::{ConnectionLog, Settings};
use sluicegate::sources::{FileSource, ReloadHandle};
use sluicegate::{Report, Reports, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Options;
use crate::error_chain::ErrorChain;
use crate::log::start_log;
use crate::simulated_cluster::SimulatedCluster;
use crate::status_log::StatusLogger;
use crate::stop_signals::StopSignals;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match cli::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("file_gateway: {error}\nRun with --help for the options.");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("file_gateway: {}", ErrorChain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let mut signals = StopSignals::install()?;
    let files = FileSource::new(&options.paths);
    tokio::spawn(reload_at_hangup(signal(SignalKind::hangup())?, files.reload_handle()));
    let mut gateway = match options.simulate_pods {
        true => Server::builder().source(SimulatedCluster::new(files, options.paths.clone())),
        false => Server::builder().source(files),
    };
    // For connections of a removed listener. The shutdown below has the same timeout.
    let mut forward = Settings::default().with_drain_timeout(options.drain_timeout);
    if options.quiet {
        forward = forward.with_connection_log(ConnectionLog::Off);
    }
    gateway = gateway.forward(forward);
    if let Some(address) = options.bind {
        gateway = gateway.bind(address);
    }
    let gateway = tokio::select! {
        started = gateway.start() => started?,
        () = signals.next() => return Ok(()),
    };

    // The start is printed as tables, and everything after it is logged.
    let text = introduction::text(&options.paths, &gateway.report());
    let _ = io::stdout().write_all(text.as_bytes());
    start_log("file_gateway");
    let mut reports = gateway.reports();
    let mut logger = ReportLogger::new(gateway.report());
    tokio::select! {
        () = logger.log_until_end(&mut reports) => {
            return Err("the gateway stopped unexpectedly; see the log above".into());
        }
        () = signals.next() => {}
    }

    let open = gateway.counters().active();
    tracing::info!(
        "shutting down: no new connections; {open} open connections have {} s to finish; \
         press Ctrl-C again to stop immediately",
        options.drain_timeout.as_secs_f32()
    );
    tokio::select! {
        () = gateway.drain(options.drain_timeout) => {}
        () = signals.next() => {}
    }
    // The reports end when all connections have ended or are reset.
    logger.log_until_end(&mut reports).await;
    tracing::info!("stopped");
    Ok(())
}

/// Reads all files again at each SIGHUP. The library logs the result.
async fn reload_at_hangup(mut hangup: Signal, files: ReloadHandle) {
    while hangup.recv().await.is_some() {
        files.reload();
    }
}

/// Logs the differences between reports.
struct ReportLogger {
    last: Arc<Report>,
    status: StatusLogger,
}

impl ReportLogger {
    fn new(first: Arc<Report>) -> Self {
        Self { last: first, status: StatusLogger::default() }
    }

    /// Logs until the gateway has stopped.
    async fn log_until_end(&mut self, reports: &mut Reports) {
        while let Some(report) = reports.next().await {
            changes::log(&self.last, &report);
            self.status.log_changes(&report);
            self.last = report;
        }
    }
}
