//! The channel between a source and a gateway. It holds one snapshot, the newest.

use std::sync::Arc;

use tokio::sync::watch;

use crate::model::{Resources, ServiceRequests, StatusReport};

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
    /// The Services that Gateways need. A Gateway without an entry needs none, or its Service
    /// cannot be created.
    pub gateway_services: Arc<ServiceRequests>,
}

/// The source's end of the channel: publishes snapshots, and receives the status of its objects.
#[derive(Debug)]
pub struct Feed {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    is_wanted: Arc<watch::Sender<bool>>,
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
pub struct Snapshots {
    snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    is_wanted: Arc<watch::Sender<bool>>,
}

/// Demand for a snapshot, which ends when this is dropped.
struct Demand<'a>(&'a watch::Sender<bool>);

impl Feed {
    /// Creates the channel of one source: the source gets the `Feed`, the gateway the
    /// [`FeedReceiver`]. A source that wraps another
    /// source creates a channel for it and uses the receiver.
    pub fn channel() -> (Self, FeedReceiver) {
        let (publish, snapshots) = watch::channel(None);
        let (set_status, status) = watch::channel(StatusUpdate::default());
        let is_wanted = Arc::new(watch::Sender::new(false));
        let snapshots = Snapshots { snapshots, is_wanted: is_wanted.clone() };
        let receiver = FeedReceiver { snapshots, status: set_status };
        (Self { snapshots: publish, is_wanted, status }, receiver)
    }

    /// Publishes a snapshot. It replaces the one before, even if the gateway has not read that.
    pub fn publish(&self, snapshot: impl Into<Snapshot>) {
        self.is_wanted.send_replace(false);
        self.snapshots.send_replace(Some(Arc::new(snapshot.into())));
    }

    /// Waits until the gateway waits for a snapshot: it has finished with the one before, and would
    /// use the next one at once.
    ///
    /// A source need not call this, because it may publish at any rate. If its objects change often
    /// or a snapshot is expensive, it records that they have changed, and builds one snapshot of
    /// all changes when this returns.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until_wanted(&self) {
        // It fails only if the sender is dropped, and the sender is part of `self`.
        let _ = self.is_wanted.subscribe().wait_for(|is_wanted| *is_wanted).await;
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
    /// While this waits, a source that calls [`Feed::until_wanted`] builds a snapshot.
    ///
    /// # Cancel safety
    /// Cancel safe: no snapshot is lost.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        let _demand = Demand::new(&self.is_wanted);
        self.snapshots.changed().await.ok()?;
        self.snapshots.borrow_and_update().clone()
    }
}

impl<'a> Demand<'a> {
    fn new(is_wanted: &'a watch::Sender<bool>) -> Self {
        is_wanted.send_replace(true);
        Self(is_wanted)
    }
}

impl Drop for Demand<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

impl From<Resources> for Snapshot {
    fn from(resources: Resources) -> Self {
        Self { resources, problems: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Polls a future once.
    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn is_wanted(feed: &Feed) -> bool {
        poll(pin!(feed.until_wanted())).is_ready()
    }

    #[test]
    fn snapshot_is_wanted_while_the_receiver_waits_for_one() {
        let (feed, receiver) = Feed::channel();
        let (mut snapshots, _status) = receiver.into_parts();
        assert!(!is_wanted(&feed));
        {
            let mut next = pin!(snapshots.next());
            assert!(poll(next.as_mut()).is_pending());
            assert!(is_wanted(&feed));
            feed.publish(Resources::new());
            assert!(!is_wanted(&feed), "one snapshot is published and not read");
            assert!(poll(next.as_mut()).is_ready());
        }
        assert!(!is_wanted(&feed), "the receiver uses the snapshot");
        {
            let mut next = pin!(snapshots.next());
            assert!(poll(next.as_mut()).is_pending());
            assert!(is_wanted(&feed));
        }
        assert!(!is_wanted(&feed), "the receiver has stopped waiting");
    }

    #[test]
    fn unread_snapshot_is_replaced() {
        let (feed, receiver) = Feed::channel();
        let (mut snapshots, _status) = receiver.into_parts();
        for problem in ["first", "second"] {
            feed.publish(Snapshot { problems: vec![problem.to_owned()], ..Snapshot::default() });
        }
        let Poll::Ready(Some(snapshot)) = poll(pin!(snapshots.next())) else {
            panic!("no snapshot")
        };
        assert_eq!(snapshot.problems, ["second"]);
        assert!(poll(pin!(snapshots.next())).is_pending());
        drop(feed);
        assert!(matches!(poll(pin!(snapshots.next())), Poll::Ready(None)));
    }
}
