//! The life of the gateway: start, operation, graceful shutdown.

use std::pin::pin;
use std::time::Duration;

use sluicegate::sources::{EndpointHandle, LeaseHandle};
use sluicegate::{Handle, Reports};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

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

    let ConfiguredGateway { builder, lease, endpoint, reload } =
        gateway::build_gateway(&options).await?;
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
    shut_down(gateway, reports, lease, endpoint, &options, &mut signals).await;
    result
}

/// Releases the Lease, accepts connections until the load balancers have stopped sending any, and
/// drains the open ones. Another signal ends this immediately.
async fn shut_down(
    gateway: Handle,
    mut reports: Reports,
    lease: Option<LeaseHandle>,
    endpoint: Option<EndpointHandle>,
    options: &RunOptions,
    signals: &mut StopSignals,
) {
    let (delay, timeout) = (options.stop_delay(), options.drain_timeout);
    // Supervisors kill the process at a fixed time after the signal, so late load balancers shorten
    // the drain.
    let deadline = Instant::now() + delay + timeout;
    let delay_s = delay.as_secs_f64();
    tracing::info!(
        delay_s,
        "shutting down: marked not ready, accepting connections for the stop delay of {delay_s} s{}; \
         to stop immediately, send the signal again after more than 1 s",
        match &endpoint {
            Some(_) => " after the last EndpointSlice has stopped listing this pod as ready",
            None => "",
        }
    );
    let graceful = async {
        let until_not_ready =
            endpoint.map(|mut endpoint| async move { endpoint.until_not_ready().await });
        let accept = async {
            wait_for_load_balancers(until_not_ready, delay, deadline).await;
            deadline.saturating_duration_since(Instant::now())
        };
        // A slow release of the Lease does not shorten the drain.
        let ((), timeout) = tokio::join!(release(lease), accept);
        let open = gateway.counters().active();
        let timeout_s = (timeout.as_secs_f64() * 10.0).round() / 10.0;
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

/// Waits until load balancers send no new connections: for the stop delay, in a cluster after
/// `until_not_ready`, when no EndpointSlice lists this pod as ready. Waits until the deadline at
/// most.
async fn wait_for_load_balancers(
    until_not_ready: Option<impl Future<Output = ()>>,
    delay: Duration,
    deadline: Instant,
) {
    let start = Instant::now();
    if let Some(until_not_ready) = until_not_ready {
        if timeout_at(deadline, until_not_ready).await.is_err() {
            tracing::warn!(
                "an EndpointSlice still lists this pod as ready at the end of the shutdown, so new \
                 connections may be refused; check the endpointslice-controller of the cluster, and \
                 the replica that holds the Lease"
            );
            return;
        }
        let listed_s = start.elapsed().as_millis() as f64 / 1_000.0;
        tracing::info!(
            listed_s,
            "shutting down: no EndpointSlice lists this pod as ready; the last one did for \
             {listed_s} s after the signal"
        );
    }
    sleep_until(deadline.min(Instant::now() + delay)).await;
}

async fn release(lease: Option<LeaseHandle>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, pending};

    use tokio::time::sleep;

    use super::*;

    /// Returns the time for which connections are accepted: with a stop delay of 5 s, and at most
    /// 35 s.
    async fn accepted_s(until_not_ready: Option<impl Future<Output = ()>>) -> u64 {
        let start = Instant::now();
        let (delay, limit) = (Duration::from_secs(5), Duration::from_secs(35));
        wait_for_load_balancers(until_not_ready, delay, start + limit).await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn stop_delay_begins_when_the_pod_is_not_listed_as_ready() {
        let after = |seconds| Some(sleep(Duration::from_secs(seconds)));
        assert_eq!(accepted_s(None::<Ready<()>>).await, 5);
        assert_eq!(accepted_s(after(0)).await, 5);
        assert_eq!(accepted_s(after(16)).await, 21);
        assert_eq!(accepted_s(after(32)).await, 35);
        assert_eq!(accepted_s(Some(pending())).await, 35);
    }
}
