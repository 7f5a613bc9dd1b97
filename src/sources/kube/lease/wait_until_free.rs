//! Waiting until no replica holds the Lease.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{Api, Client};
use tokio::time::{Instant, sleep};

use crate::model::NamespacedName;

/// Maximum time to wait.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Interval at which the Lease is read.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Time for which the Lease must be free. Another replica that runs acquires a Lease that was
/// released within this time.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// Time after which a Lease without a duration expires.
const DEFAULT_DURATION: Duration = Duration::from_secs(15);

/// Reason why the Lease is not free.
#[derive(Debug)]
pub(in crate::sources::kube) enum NotFree {
    /// A replica holds it, or several acquire it in turn. Contains the last holder.
    Held(String),
    /// It does not exist. A gateway that has run leaves it.
    Missing,
    Unknown(kube::Error),
}

/// Waits until no replica holds the Lease: it was released, or has expired. The age of the Lease
/// counts from the last observed change, because its times come from other clocks.
///
/// # Errors
/// [`NotFree`] if a replica holds the Lease for a minute, or if the Lease does not exist or cannot
/// be read.
pub(in crate::sources::kube) async fn wait_until_free(
    client: &Client,
    lease: &NamespacedName,
) -> Result<(), NotFree> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), lease.namespace.as_str());
    let deadline = Instant::now() + MAX_WAIT;
    let mut observed = None;
    let mut last_holder = String::new();
    loop {
        let read = leases.get_opt(lease.name.as_str()).await.map_err(NotFree::Unknown)?;
        let spec = read.ok_or(NotFree::Missing)?.spec.unwrap_or_default();
        let now = Instant::now();
        let since = match &observed {
            Some((known, since)) if *known == spec => *since,
            _ => now,
        };
        if now >= since + time_until_free(&spec) {
            return Ok(());
        }
        if let Some(holder) = holder(&spec) {
            holder.clone_into(&mut last_holder);
        }
        if now >= deadline {
            return Err(NotFree::Held(last_holder));
        }
        observed = Some((spec, since));
        sleep(POLL_INTERVAL).await;
    }
}

/// Returns the time after which a Lease that does not change is free.
fn time_until_free(spec: &LeaseSpec) -> Duration {
    if holder(spec).is_none() {
        return SETTLE_TIME;
    }
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(DEFAULT_DURATION, Duration::from_secs)
}

fn holder(spec: &LeaseSpec) -> Option<&str> {
    spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}
