//! Helpers for the tests of forwarding: clients, backends, plans, and waiting with a timeout.

pub mod events;
pub mod peer;
pub mod plans;
pub mod stream;
pub mod test_forwarder;

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Timeout of a wait. Only failing tests reach it.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the output of `future`. Panics if there is none before the timeout.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(WAIT_TIMEOUT, future).await.unwrap_or_else(|_| panic!("timeout of a wait for: {what}"))
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "timeout, still not true: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
