//! Graceful shutdown: accepts connections until load balancers send no more, then drains.

use std::pin::pin;
use std::time::Duration;

use sluicegate::sources::{EndpointHandle, LeaseHandle};
use sluicegate::{Handle, Reports};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::api::Api;
use crate::cli::RunOptions;
use crate::health::Lifecycle;
use crate::signals::StopSignals;

/// The end of the first line of a shutdown. A signal within a second counts as the first one.
const STOP_IMMEDIATELY: &str = "to stop immediately, send the signal again after more than 1 s";

/// A gateway that is being shut down.
pub(crate) struct Stopping {
    pub(crate) gateway: Handle,
    pub(crate) reports: Reports,
    /// Released at the beginning.
    pub(crate) lease: Option<LeaseHandle>,
    /// Reports if an EndpointSlice lists this pod as ready.
    pub(crate) endpoint: Option<EndpointHandle>,
    /// Accepts no requests from the beginning. Its store is closed last.
    pub(crate) api: Option<Api>,
    pub(crate) lifecycle: watch::Sender<Lifecycle>,
}

impl Stopping {
    /// Releases the Lease, accepts connections until the load balancers have stopped sending any,
    /// and drains the open ones. Another signal ends this immediately.
    pub(crate) async fn shut_down(self, options: &RunOptions, signals: &mut StopSignals) {
        let Self { gateway, mut reports, lease, endpoint, api, lifecycle } = self;
        let api = api.map(Api::stop);
        lifecycle.send_replace(Lifecycle::Leaving);
        let (delay, timeout) = (options.stop_delay(), options.drain_timeout);
        // Supervisors kill the process at a fixed time after the signal, so late load balancers
        // shorten the drain.
        let deadline = Instant::now() + delay + timeout;
        let delay_s = delay.as_secs_f64();
        let has_delay = !delay.is_zero() || endpoint.is_some();
        if has_delay {
            tracing::info!(
                delay_s,
                "shutting down: accepting connections for the stop delay of {delay_s} s{}; \
                 {STOP_IMMEDIATELY}",
                match &endpoint {
                    Some(_) =>
                        " after the last EndpointSlice has stopped listing this pod as ready",
                    None => "",
                }
            );
        }
        let graceful = async {
            let until_not_ready =
                endpoint.map(|mut endpoint| async move { endpoint.until_not_ready().await });
            let accept = async {
                let fail_readiness = || {
                    lifecycle.send_replace(Lifecycle::Draining);
                };
                wait_for_load_balancers(until_not_ready, delay, deadline, fail_readiness).await;
                deadline.saturating_duration_since(Instant::now())
            };
            // A slow release of the Lease does not shorten the drain.
            let ((), timeout) = tokio::join!(release(lease), accept);
            let open = gateway.counters().active();
            let timeout_s = (timeout.as_secs_f64() * 10.0).round() / 10.0;
            let (separator, advice) = if has_delay { ("", "") } else { ("; ", STOP_IMMEDIATELY) };
            tracing::info!(
                open,
                timeout_s,
                "shutting down: no new connections, open ones have at most {timeout_s} s to \
                 finish{separator}{advice}"
            );
            lifecycle.send_replace(Lifecycle::Draining);
            gateway.drain(timeout).await;
        };
        let is_graceful = tokio::select! {
            () = graceful => true,
            () = signals.next() => false,
        };
        if is_graceful {
            let is_closed = match api {
                Some(api) => api.close(signals).await,
                None => true,
            };
            match is_closed {
                true => tracing::info!("stopped"),
                false => tracing::info!("stopped immediately"),
            }
            return;
        }
        // Dropping `graceful` dropped the handle, which stops the gateway. The reports end when all
        // connections are reset.
        while reports.next().await.is_some() {}
        if let Some(api) = api {
            api.close_immediately().await;
        }
        tracing::info!("stopped immediately; open connections were reset");
    }
}

/// Waits until load balancers send no new connections: for `until_not_ready`, which completes when
/// no EndpointSlice lists this pod as ready, and then for the stop delay. Returns at the deadline
/// at the latest.
///
/// If the pod is still listed after half of the time, calls `fail_readiness`. A kubelet that
/// restarts only the container does not mark the pod as terminating, so nothing else would remove
/// it from EndpointSlices.
async fn wait_for_load_balancers(
    until_not_ready: Option<impl Future<Output = ()>>,
    delay: Duration,
    deadline: Instant,
    fail_readiness: impl FnOnce(),
) {
    let start = Instant::now();
    if let Some(until_not_ready) = until_not_ready {
        let mut until_not_ready = pin!(until_not_ready);
        let half = start + (deadline - start) / 2;
        if timeout_at(half, until_not_ready.as_mut()).await.is_err() {
            tracing::info!(
                "shutting down: an EndpointSlice still lists this pod as ready; /readyz fails from \
                 now on, because a pod that is not deleted is removed by its readiness probe only"
            );
            fail_readiness();
            if timeout_at(deadline, until_not_ready).await.is_err() {
                tracing::warn!(
                    "an EndpointSlice still lists this pod as ready at the end of the shutdown, so \
                     new connections may be refused; check the EndpointSlice controller \
                     (kube-controller-manager) and the readiness probe of the pod"
                );
                return;
            }
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

    /// Returns the time for which connections are accepted, and the time after which readiness
    /// fails: with a stop delay of 5 s, and at most 35 s.
    async fn times_s(until_not_ready: Option<impl Future<Output = ()>>) -> (u64, Option<u64>) {
        let start = Instant::now();
        let (delay, limit) = (Duration::from_secs(5), Duration::from_secs(35));
        let mut unready = None;
        let fail_readiness = || unready = Some(start.elapsed().as_secs());
        wait_for_load_balancers(until_not_ready, delay, start + limit, fail_readiness).await;
        (start.elapsed().as_secs(), unready)
    }

    #[tokio::test(start_paused = true)]
    async fn stop_delay_begins_when_the_pod_is_not_listed_as_ready() {
        let after = |seconds| Some(sleep(Duration::from_secs(seconds)));
        assert_eq!(times_s(None::<Ready<()>>).await, (5, None));
        assert_eq!(times_s(after(0)).await, (5, None));
        assert_eq!(times_s(after(16)).await, (21, None));
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_fails_while_the_pod_is_listed_after_half_of_the_time() {
        let after = |seconds| Some(sleep(Duration::from_secs(seconds)));
        assert_eq!(times_s(after(24)).await, (29, Some(17)));
        assert_eq!(times_s(after(32)).await, (35, Some(17)));
        assert_eq!(times_s(Some(pending())).await, (35, Some(17)));
    }
}
