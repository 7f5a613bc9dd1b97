//! Commands of a handle to the control loop.

use std::time::Duration;

use tokio::sync::oneshot;

/// Command to stop accepting connections, and to stop the gateway when the open ones have ended.
#[derive(Debug)]
pub(super) struct Drain {
    /// The time after which open connections are reset.
    pub(super) timeout: Duration,
    /// Notified when the gateway has stopped. If the receiver is dropped, the gateway stops at
    /// once.
    pub(super) done: oneshot::Sender<()>,
}
