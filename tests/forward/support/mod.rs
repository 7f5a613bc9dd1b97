//! Helpers for the tests of forwarding: clients, backends, plans, and waiting with a timeout.

pub mod events;
pub mod peer;
pub mod plans;
pub mod stream;
pub mod test_forwarder;

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// How long to wait for what must happen. Only a failure ever takes that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What `future` gives, which must not take for ever.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
