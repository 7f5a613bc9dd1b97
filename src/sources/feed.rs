//! The channel between a source and a gateway. It holds one snapshot, the newest.

use std::sync::Arc;

use tokio::sync::watch;

use crate::model::Resources;
use crate::model::StatusReport;

/// What a source publishes: all its objects, and what is wrong with its input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The objects.
    pub resources: Resources,
    /// What a person should mend, one text for each place, such as a document that cannot be read.
    /// The objects concerned are in `resources` as they were before, where they were.
    pub problems: Vec<String>,
}

/// The status of a gateway's objects, and the objects it speaks of: those of a source may be others
/// by the time it hears of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, meant to be made by hand too")]
pub struct StatusUpdate {
    /// The objects of all sources.
    pub resources: Arc<Resources>,
    /// Their status.
    pub status: Arc<StatusReport>,
}

/// A source's end: it publishes snapshots, and learns the status that its objects get.
#[derive(Debug)]
pub struct Feed {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    status: watch::Receiver<StatusUpdate>,
}

/// The gateway's end: it finds the newest snapshot, and says the status.
#[derive(Debug)]
pub struct FeedReceiver {
    snapshots: Snapshots,
    status: watch::Sender<StatusUpdate>,
}

/// The snapshots of a source, as they come.
#[derive(Debug)]
pub struct Snapshots(watch::Receiver<Option<Arc<Snapshot>>>);

impl Feed {
    /// Creates the channel of one source: the source gets the `Feed`, the gateway the
    /// [`FeedReceiver`]. A source that wraps another one is the gateway of that other one.
    pub fn channel() -> (Self, FeedReceiver) {
        let (publish, snapshots) = watch::channel(None);
        let (set_status, status) = watch::channel(StatusUpdate::default());
        let receiver = FeedReceiver { snapshots: Snapshots(snapshots), status: set_status };
        (Self { snapshots: publish, status }, receiver)
    }

    /// Publishes a snapshot in place of the one before.
    pub fn publish(&self, snapshot: impl Into<Snapshot>) {
        self.snapshots.send_replace(Some(Arc::new(snapshot.into())));
    }

    /// The status of all the gateway's objects, this source's and others'. It changes whenever the
    /// gateway finds something new to say.
    pub fn status(&self) -> watch::Receiver<StatusUpdate> {
        self.status.clone()
    }
}

impl FeedReceiver {
    /// The snapshots, and the place to say the status.
    pub fn into_parts(self) -> (Snapshots, watch::Sender<StatusUpdate>) {
        (self.snapshots, self.status)
    }
}

impl Snapshots {
    /// Waits for a snapshot that has not been seen yet; `None` once the source has ended and its
    /// last one has been seen.
    ///
    /// # Cancel safety
    /// Cancel safe: a snapshot is seen only when it is returned.
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
