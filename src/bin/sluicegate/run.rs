//! Starts the gateway, and runs it until a stop signal or a failure.

use std::pin::pin;

use sluicegate::forward::ConnectionLines;
use tokio::runtime;
use tokio::sync::watch;

use crate::api_storage::ApiStorage;
use crate::cli::RunOptions;
use crate::error::RunError;
use crate::gateway::{self, ConfiguredGateway};
use crate::health::{self, Lifecycle};
use crate::shutdown::{Stopping, release};
use crate::signals::{ReloadSignal, StopSignals, UnusedSignals};
use crate::status_log::StatusLogger;

/// Runs a gateway until a signal stops it.
///
/// # Errors
/// Returns an error if the gateway cannot start or continue.
pub(crate) fn run(
    options: RunOptions,
    connection_lines: Option<ConnectionLines>,
) -> Result<(), RunError> {
    // One thread is enough: the gateway has threads of its own for forwarding and control, and the
    // API has a runtime of its own.
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RunError::Runtime)?;
    runtime.block_on(serve(options, connection_lines))
}

async fn serve(
    options: RunOptions,
    connection_lines: Option<ConnectionLines>,
) -> Result<(), RunError> {
    // Installed before the first log line, since a signal without a handler ends the process.
    let mut signals = StopSignals::install().map_err(RunError::Signals)?;
    let reload_signal = ReloadSignal::install().map_err(RunError::Signals)?;
    tokio::spawn(UnusedSignals::install().map_err(RunError::Signals)?.log());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "sluicegate is starting");
    let storage = ApiStorage::open(&options)?;
    let (lifecycle, receiver) = watch::channel(Lifecycle::Starting);
    let (health, health_address) = health::listen(options.health)?;
    tokio::spawn(health::serve(health, receiver));

    let ConfiguredGateway { builder, lease, endpoint, reload, api } =
        gateway::build_gateway(&options, connection_lines, health_address, storage).await?;
    tokio::spawn(reload_signal.forward(reload, lifecycle.subscribe()));
    // Pinned here, so that the election still runs while the Lease is released below.
    let mut start = pin!(builder.start());
    let gateway = tokio::select! {
        started = &mut start => started?,
        () = signals.next() => {
            release(lease).await;
            if let Some(api) = api {
                api.stop().close(&mut signals).await;
            }
            tracing::info!("stopped by a signal before the gateway was ready");
            return Ok(());
        }
    };
    lifecycle.send_replace(Lifecycle::Ready);
    tracing::info!("ready");

    let mut reports = gateway.reports();
    let mut status_logger = StatusLogger::default();
    let result = loop {
        tokio::select! {
            report = reports.next() => match report {
                Some(report) if !report.failed.is_empty() => {
                    break Err(RunError::SourceFailed(report.failed.clone()));
                }
                // In a cluster and in the API, the conditions are in the status of the objects.
                Some(report) if !options.kubernetes && !options.api => {
                    status_logger.log_changes(&report);
                }
                Some(_) => {}
                None => return Err(RunError::Stopped),
            },
            () = signals.next() => break Ok(()),
        }
    };
    let stopping = Stopping { gateway, reports, lease, endpoint, api, lifecycle };
    stopping.shut_down(&options, &mut signals).await;
    result
}
