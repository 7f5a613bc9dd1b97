//! The watch of the Lease, by which a follower observes its holder.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::WatchParams;
use kube::{Api, ResourceExt};
use tokio::time::{Instant, sleep_until};

use crate::sources::kube::watch::{ReceivedEvent, RetryDelay, WatchError, WatchRequest};

/// Minimum time from one watch request to the next, in case the server closes each one at once.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// Delay before the watch is tried again after the permission was denied.
const DENIED_RETRY_DELAY: Duration = Duration::from_secs(60);

/// The watch of the Lease. It is resumed whenever it ends.
pub(super) struct LeaseWatch {
    leases: Api<Lease>,
    name: String,
    /// The resource version after which changes are requested.
    version: String,
    request: Option<WatchRequest<Lease>>,
    earliest_request: Instant,
    delay: RetryDelay,
    is_denied: bool,
}

/// An event of the watch.
pub(super) enum LeaseEvent {
    Changed(Box<Lease>),
    Deleted,
    /// Changes were missed: the Lease must be read.
    Missed,
    /// The watch failed, and is tried again.
    Failed,
}

impl LeaseWatch {
    pub(super) fn new(leases: Api<Lease>, name: &str) -> Self {
        Self {
            leases,
            name: name.to_owned(),
            version: String::new(),
            request: None,
            earliest_request: Instant::now(),
            delay: RetryDelay::new(),
            is_denied: false,
        }
    }

    /// Records that the Lease was read, in this version. A watch that is not open starts from it.
    pub(super) fn set_version(&mut self, lease: &Lease) {
        if let (None, Some(version)) = (&self.request, lease.resource_version()) {
            self.version = version;
        }
    }

    /// Returns `true` if this process may not watch the Lease.
    pub(super) fn is_denied(&self) -> bool {
        self.is_denied
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub(super) async fn next(&mut self) -> LeaseEvent {
        loop {
            match self.next_event().await {
                Ok(None) => {}
                Ok(Some(ReceivedEvent::Applied(lease))) => {
                    self.version = lease.resource_version().unwrap_or_default();
                    self.delay.reset();
                    // A proxy may ignore field selectors.
                    if lease.metadata.name.as_ref() == Some(&self.name) {
                        return LeaseEvent::Changed(Box::new(lease));
                    }
                }
                Ok(Some(ReceivedEvent::Deleted(lease))) => {
                    self.version = lease.resource_version().unwrap_or_default();
                    return LeaseEvent::Deleted;
                }
                Ok(Some(ReceivedEvent::Bookmark(bookmark))) => {
                    self.version = bookmark.metadata.resource_version;
                }
                Err(error) => {
                    self.request = None;
                    self.record_denied(error.is_forbidden());
                    let delay = if self.is_denied { DENIED_RETRY_DELAY } else { self.delay.next() };
                    self.earliest_request = Instant::now() + delay;
                    let is_missed = error.is_expired();
                    return if is_missed { LeaseEvent::Missed } else { LeaseEvent::Failed };
                }
            }
        }
    }

    /// Returns the next event of the server, or `None` if the watch ended and must be resumed.
    async fn next_event(&mut self) -> Result<Option<ReceivedEvent<Lease>>, WatchError> {
        if self.request.is_none() {
            sleep_until(self.earliest_request).await;
            // Permission for one Lease is enough to watch this one.
            let fields = format!("metadata.name={}", self.name);
            let parameters = WatchParams::default().fields(&fields);
            let request = WatchRequest::start(&self.leases, &parameters, &self.version).await?;
            self.earliest_request = Instant::now() + MIN_REQUEST_INTERVAL;
            self.request = Some(request);
            self.record_denied(false);
        }
        let Some(request) = &mut self.request else { return Ok(None) };
        let next = request.next().await.transpose();
        if let Ok(None) = next {
            self.request = None;
        }
        next
    }

    fn record_denied(&mut self, is_denied: bool) {
        if is_denied && !self.is_denied {
            tracing::warn!(
                lease = self.name,
                "permission denied to watch the Lease: this replica polls it instead; allow its ServiceAccount to list and watch the Lease"
            );
        }
        self.is_denied = is_denied;
    }
}
