//! Reading files again on request.

use tokio::sync::watch;

/// Handle that makes a running [`FileSource`](crate::sources::FileSource) read all files again.
///
/// The source follows changes of files by itself. A request is useful if it cannot: changes that
/// send no events are not noticed if polling is off.
#[derive(Debug, Clone)]
pub struct ReloadHandle(watch::Sender<u64>);

impl ReloadHandle {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Requests that all files are read again, even those that seem unchanged. Returns at once.
    ///
    /// The result is logged: the number of files and objects, the changes since the request, and
    /// again the errors that remain.
    pub fn reload(&self) {
        self.0.send_modify(|requests| *requests += 1);
    }

    /// Returns a receiver of the requests from now on.
    pub(super) fn requests(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
