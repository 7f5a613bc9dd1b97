//! The log of the kinds whose changes are not followed.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use super::last_received::LastReceived;
use crate::model::ObjectKind;

/// Time since the last data about a kind, after which the kind counts as stale. A working watch
/// receives data at least every 90 s.
const STALE_AFTER: Duration = Duration::from_secs(120);

const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Logs the kinds about which nothing has been received for two minutes, and those that are
/// received again.
pub(in crate::sources::kube) async fn log_stale_kinds(last_received: LastReceived) -> Infallible {
    let mut stale: BTreeSet<ObjectKind> = BTreeSet::new();
    loop {
        sleep(CHECK_INTERVAL).await;
        let ages = last_received.ages();
        let (now_stale, current): (BTreeSet<_>, BTreeSet<_>) =
            ages.keys().copied().partition(|kind| ages[kind] > STALE_AFTER);
        let new = join(now_stale.difference(&stale));
        if !new.is_empty() {
            tracing::warn!(
                kinds = new,
                "nothing received from the API server for {} s: changes of these kinds are not followed, and the last known objects stay in use; check the network to the API server and the errors above",
                STALE_AFTER.as_secs()
            );
        }
        // A kind whose watch was stopped is in neither set.
        let ended = join(stale.intersection(&current));
        if !ended.is_empty() {
            tracing::info!(
                kinds = ended,
                "the API server responds again: changes of these kinds are followed"
            );
        }
        stale = now_stale;
    }
}

fn join<'a>(kinds: impl Iterator<Item = &'a ObjectKind>) -> String {
    kinds.map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}
