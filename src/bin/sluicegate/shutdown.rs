//! Graceful shutdown: accepts connections until load balancers send no more, then drains.

use std::time::Duration;

use sluicegate::sources::{EndpointHandle, LeaseHandle};
use sluicegate::{Handle, Reports};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::cli::RunOptions;
use crate::health::Lifecycle;
use crate::signals::StopSignals;

/// A gateway that is being shut down.
pub(crate) struct Stopping {
    pub(crate) gateway: Handle,
    pub(crate) reports: Reports,
    /// Released at the beginning.
    pub(crate) lease: Option<LeaseHandle>,
    /// Reports if an EndpointSlice lists this pod as ready.
    pub(crate) endpoint: Option<EndpointHandle>,
    pub(crate) lifecycle: watch::Sender<Lifecycle>,
}

impl Stopping {
    /// Releases the Lease, accepts connections until the load balancers have stopped sending any,
    /// and drains the open ones. Another signal ends this immediately.
    pub(crate) async fn shut_down(self, options: &RunOptions, signals: &mut StopSignals) {
        let Self { gateway, mut reports, lease, endpoint, lifecycle } = self;
        lifecycle.send_replace(Lifecycle::Leaving);
        let (delay, timeout) = (options.stop_delay(), options.drain_timeout);
        // Supervisors kill the process at a fixed time after the signal, so late load balancers
        // shorten the drain.
        let deadline = Instant::now() + delay + timeout;
        let delay_s = delay.as_secs_f64();
        tracing::info!(
            delay_s,
            "shutting down: accepting connections for the stop delay of {delay_s} s{}; to stop \
             immediately, send the signal again after more than 1 s",
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
            lifecycle.send_replace(Lifecycle::Draining);
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
}

/// Waits until load balancers send no new connections: for `until_not_ready`, which completes when
/// no EndpointSlice lists this pod as ready, and then for the stop delay. Returns at the deadline
/// at the latest.
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
                 connections may be refused; check the EndpointSlice controller \
                 (kube-controller-manager), unless only the process was stopped and the pod was \
                 not deleted"
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

/// Releases the Lease, if there is one.
pub(crate) async fn release(lease: Option<LeaseHandle>) {
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
