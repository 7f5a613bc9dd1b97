//! The channel between a source and a gateway. It holds one snapshot, the newest.

use std::sync::Arc;

use tokio::sync::watch;

use crate::model::{PodPorts, Resources, StatusReport};

/// All objects of a source, and the problems of its input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The objects.
    pub resources: Resources,
    /// Problems that a person has to correct, one text for each problem, such as a document that
    /// cannot be read. `resources` contains the last good version of the affected objects, if there
    /// is one.
    pub problems: Vec<String>,
}

/// A status report, with the snapshot it was computed from. The source may hold newer objects by
/// the time it receives the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that tests and embedders build by hand")]
pub struct StatusUpdate {
    /// The objects of all sources.
    pub resources: Arc<Resources>,
    /// Their status.
    pub status: Arc<StatusReport>,
    /// The pod ports that the Services of Gateways need. A Gateway without an entry needs no
    /// Service, or its Service cannot be created.
    pub gateway_services: Arc<PodPorts>,
}

/// The source's end of the channel: publishes snapshots, and receives the status of its objects.
#[derive(Debug)]
pub struct Feed {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    status: watch::Receiver<StatusUpdate>,
}

/// The gateway's end of the channel: receives snapshots, and sends status.
#[derive(Debug)]
pub struct FeedReceiver {
    snapshots: Snapshots,
    status: watch::Sender<StatusUpdate>,
}

/// A stream of the snapshots of a source.
#[derive(Debug)]
pub struct Snapshots(watch::Receiver<Option<Arc<Snapshot>>>);

impl Feed {
    /// Creates the channel of one source: the source gets the `Feed`, the gateway the
    /// [`FeedReceiver`]. A source that wraps another
    /// source creates a channel for it and uses the receiver.
    pub fn channel() -> (Self, FeedReceiver) {
        let (publish, snapshots) = watch::channel(None);
        let (set_status, status) = watch::channel(StatusUpdate::default());
        let receiver = FeedReceiver { snapshots: Snapshots(snapshots), status: set_status };
        (Self { snapshots: publish, status }, receiver)
    }

    /// Publishes a snapshot. It replaces the one before, even if the gateway has not read that.
    pub fn publish(&self, snapshot: impl Into<Snapshot>) {
        self.snapshots.send_replace(Some(Arc::new(snapshot.into())));
    }

    /// Returns the status updates for the objects of all sources. An update arrives whenever the
    /// status changes.
    pub fn status(&self) -> watch::Receiver<StatusUpdate> {
        self.status.clone()
    }
}

impl FeedReceiver {
    /// Returns the stream of snapshots and the sender of status updates.
    pub fn into_parts(self) -> (Snapshots, watch::Sender<StatusUpdate>) {
        (self.snapshots, self.status)
    }
}

impl Snapshots {
    /// Waits for the next snapshot; returns `None` once the source has ended and its last snapshot
    /// has been returned.
    ///
    /// # Cancel safety
    /// Cancel safe: no snapshot is lost.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}

impl From<Resources> for Snapshot {
    fn from(resources: Resources) -> Self {
        Self { resources, problems: Vec::new() }
    }
}
