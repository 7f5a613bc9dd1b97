//! The life of the gateway: start, operation, graceful shutdown.

use std::pin::pin;

use sluicegate::sources::LeaseHandle;
use sluicegate::{Handle, Reports};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::RunOptions;
use crate::error::RunError;
use crate::gateway::{self, ConfiguredGateway};
use crate::health::{self, Lifecycle};
use crate::signals::{ReloadSignal, StopSignals, UnusedSignals};
use crate::status_log::StatusLogger;

/// Runs a gateway until a signal stops it.
///
/// # Errors
/// Returns an error if the gateway cannot start or continue.
pub(crate) fn run(options: RunOptions) -> Result<(), RunError> {
    // One thread is enough: the gateway has threads of its own for forwarding and control.
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RunError::Runtime)?;
    runtime.block_on(serve(options))
}

async fn serve(options: RunOptions) -> Result<(), RunError> {
    // Installed before the first log line, since a signal without a handler ends the process.
    let mut signals = StopSignals::install().map_err(RunError::Signals)?;
    let reload_signal = ReloadSignal::install().map_err(RunError::Signals)?;
    tokio::spawn(UnusedSignals::install().map_err(RunError::Signals)?.log());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "sluicegate is starting");
    let (lifecycle, receiver) = watch::channel(Lifecycle::Starting);
    tokio::spawn(health::serve(health::listen(options.health)?, receiver));

    let ConfiguredGateway { builder, lease, reload } = gateway::build_gateway(&options).await?;
    tokio::spawn(reload_signal.forward(reload, lifecycle.subscribe()));
    // Pinned here, so that the election still runs while the Lease is released below.
    let mut start = pin!(builder.start());
    let gateway = tokio::select! {
        started = &mut start => started?,
        () = signals.next() => {
            release(lease).await;
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
                // In a cluster, the conditions are in the status of the objects.
                Some(report) if !options.kubernetes => status_logger.log_changes(&report),
                Some(_) => {}
                None => return Err(RunError::Stopped),
            },
            () = signals.next() => break Ok(()),
        }
    };
    lifecycle.send_replace(Lifecycle::Stopping);
    shut_down(gateway, reports, lease, &options, &mut signals).await;
    result
}

/// Releases the Lease, accepts connections for the stop delay, and drains the open ones. Another
/// signal ends this immediately.
async fn shut_down(
    gateway: Handle,
    mut reports: Reports,
    lease: Option<LeaseHandle>,
    options: &RunOptions,
    signals: &mut StopSignals,
) {
    let (delay, timeout) = (options.stop_delay(), options.drain_timeout);
    let (delay_s, timeout_s) = (delay.as_secs_f64(), timeout.as_secs_f64());
    tracing::info!(
        delay_s,
        "shutting down: marked not ready, accepting connections for the stop delay of {delay_s} s; \
         to stop immediately, send the signal again after more than 1 s"
    );
    let graceful = async {
        tokio::join!(release(lease), sleep(delay));
        let open = gateway.counters().active();
        tracing::info!(
            open,
            timeout_s,
            "shutting down: no new connections, open ones have at most {timeout_s} s to finish \
             (those of listeners removed earlier have the rest of their own time)"
        );
        gateway.drain(timeout).await;
    };
    tokio::select! {
        () = graceful => {
            tracing::info!("stopped");
            return;
        }
        () = signals.next() => {}
    }
    // Dropping `graceful` dropped the handle, which stops the gateway. The reports end when all
    // connections are reset.
    while reports.next().await.is_some() {}
    tracing::info!("stopped immediately; open connections were reset");
}

async fn release(lease: Option<LeaseHandle>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}
