//! The program `sluicegate`: a TCP gateway from a Kubernetes cluster, from manifests in files, or
//! from an API of its own.

mod api;
mod api_runtime;
mod api_storage;
mod clean_up;
mod cli;
mod error;
mod error_chain;
mod gateway;
mod health;
mod kubeconfig;
mod log_writer;
mod logging;
mod run;
mod shutdown;
mod signals;
mod status_log;

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::{Cli, Command};
use crate::error::RunError;
use crate::error_chain::ErrorChain;
use crate::logging::{LogFilter, LogFormat};

fn main() -> ExitCode {
    // Both exit with status 2 and print the error if the command line is invalid.
    let cli = Cli::from_process().unwrap_or_else(|error| error.exit());
    let (format, level) = match &cli.command {
        Command::Run(options) => {
            options.validate().unwrap_or_else(|error| error.exit());
            (options.log_format, options.log_level.clone())
        }
        Command::CleanUp(_) | Command::Kubeconfig(_) => (LogFormat::Text, LogFilter::default()),
    };

    let log = match logging::start(format, level) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("sluicegate: cannot start the log writer thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    raise_descriptor_limit();
    // rustls needs a choice if several crypto libraries are linked. This fails only if there is a
    // choice already.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let result = match cli.command {
        Command::Run(options) => run::run(*options, log.connection_lines),
        Command::CleanUp(options) => clean_up::clean_up(options),
        Command::Kubeconfig(options) => {
            kubeconfig::write_kubeconfig(options).map_err(RunError::Kubeconfig)
        }
    };
    if let Err(error) = &result {
        tracing::error!("{}", ErrorChain(error));
    }
    log.writer.flush();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Raises the soft limit of file descriptors to the hard limit.
///
/// Each connection needs two descriptors. The soft limit is usually 1024, for the sake of programs
/// that use select(2).
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If this fails, the gateway runs with the soft limit, and logs a warning if it cannot accept.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
