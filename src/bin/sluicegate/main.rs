//! The program `sluicegate`: a TCP gateway from a Kubernetes cluster or from manifests in files.

mod cli;
mod error;
mod error_chain;
mod gateway;
mod health;
mod log_writer;
mod logging;
mod run;
mod signals;
mod status_log;

use std::process::ExitCode;

use clap::Parser as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::{Cli, Task};
use crate::error_chain::ErrorChain;

fn main() -> ExitCode {
    // Clap prints what is wrong, and ends with 2.
    let Task::Run(options) = Cli::parse().task;
    options.check().unwrap_or_else(|error| error.exit());

    let logs = match logging::start(options.log_format, options.log_level.clone()) {
        Ok(logs) => logs,
        Err(error) => {
            eprintln!("sluicegate: there is no thread for the logs: {error}");
            return ExitCode::FAILURE;
        }
    };
    raise_descriptor_limit();
    // TLS is the Kubernetes client's; more than one library for it may be linked, so one is chosen.
    // It fails only where that has been done.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let result = run::run(options);
    if let Err(error) = &result {
        tracing::error!("{}", ErrorChain(error));
    }
    logs.finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// As many descriptors as the system allows: every connection takes two, and the limit that a
/// program is started with is low, for the sake of old programs that would not bear a higher one.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it may not be raised, the gateway does with what there is, and says what it lacks.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
