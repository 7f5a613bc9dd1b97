//! A TCP gateway that is configured with kubectl, without a cluster.
//!
//! `cargo run --example api_gateway --features api` runs an empty gateway with its API, and prints
//! the commands of the walk-through in `examples/tcp-routing`. Echo servers run in place of the
//! pods of Deployments. The program `sluicegate run --api` is the same gateway for production use;
//! it simulates no pods.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod cli;
mod introduction;
mod simulated_cluster;
// These modules are shared with the example `file_gateway` and the program.
#[path = "../file_gateway/echo.rs"]
mod echo;
#[path = "../../src/bin/sluicegate/error_chain.rs"]
mod error_chain;
#[path = "../file_gateway/log.rs"]
mod log;
#[path = "../file_gateway/pods.rs"]
mod pods;
#[path = "../file_gateway/stop_signals.rs"]
mod stop_signals;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use sluicegate::Server;
use sluicegate::admission::catalog;
use sluicegate::api::{self, ApiFolder, ApiServer, ApiService};
use sluicegate::forward::{ConnectionLog, Settings};
use sluicegate::sources::ApiSource;
use sluicegate::store::{self, Store};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::cli::Options;
use crate::error_chain::ErrorChain;
use crate::log::start_log;
use crate::simulated_cluster::SimulatedCluster;
use crate::stop_signals::StopSignals;

/// File name of the kubeconfig in the data folder.
const KUBECONFIG: &str = "kubeconfig";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match cli::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", cli::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("api_gateway: {error}\nRun with --help for the options.");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api_gateway: {}", ErrorChain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let mut signals = StopSignals::install()?;
    // The folder is deleted at the end of this function.
    let temporary = match options.data {
        Some(_) => None,
        None => Some(TempDir::with_prefix("api-gateway-")?),
    };
    let data = match (&options.data, &temporary) {
        (Some(data), _) => data.as_path(),
        (None, Some(temporary)) => temporary.path(),
        (None, None) => unreachable!("a temporary folder replaces --data"),
    };
    let folder = ApiFolder::open(data)?;
    let settings = store::Settings::new().with_used_folder(folder.is_used());
    let store = Store::open(folder.store_path(), catalog(), settings)?;
    let server = ApiServer::builder(folder).listen(options.api).bind()?;
    let (address, url) = (server.local_address(), server.url().to_owned());
    let kubeconfig = std::path::absolute(data.join(KUBECONFIG))?;
    server.kubeconfig().write_file(&kubeconfig)?;
    let settings = api::Settings::new()
        .with_max_watches(server.max_watches())
        // The echo servers have loopback addresses.
        .with_local_endpoints(true)
        .with_deployments(true);
    let service = ApiService::new(store.clone(), server.access().clone(), settings);

    let mut forward = Settings::default().with_drain_timeout(options.drain_timeout);
    if options.quiet {
        forward = forward.with_connection_log(ConnectionLog::Off);
    }
    let mut gateway = Server::builder()
        .source(ApiSource::new(store.clone()))
        .own_sockets([address])
        .forward(forward);
    if let Some(address) = options.bind {
        gateway = gateway.bind(address);
    }
    let gateway = tokio::select! {
        started = gateway.start() => started?,
        () = signals.next() => return Ok(()),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let api = tokio::spawn(async move {
        // The server also stops if the sender is dropped.
        server.serve(service, async move { drop(stopped.await) }).await;
    });

    let text = introduction::text(&url, &kubeconfig, data, temporary.is_some());
    let _ = io::stdout().write_all(text.as_bytes());
    start_log("api_gateway");
    tokio::select! {
        result = SimulatedCluster::new(store.clone()).run() => {
            result?;
            return Err("the store was closed unexpectedly; see the log above".into());
        }
        () = signals.next() => {}
    }

    let open = gateway.counters().active();
    tracing::info!(
        "shutting down: no new connections; {open} open connections have {} s to finish; \
         press Ctrl-C again to stop immediately",
        options.drain_timeout.as_secs_f32()
    );
    drop(stop);
    tokio::select! {
        () = gateway.drain(options.drain_timeout) => {}
        () = signals.next() => {}
    }
    // Closing the store ends the watches of clients, and so their connections.
    store.close().await;
    api.await?;
    tracing::info!("stopped");
    Ok(())
}
