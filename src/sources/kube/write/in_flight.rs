//! The writes that wait for a response of the API server.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::field_change::FieldChange;
use super::lane::Lane;
use super::pending_write::PendingWrite;
use super::request::WriteResult;
use crate::model::ObjectKey;

/// Maximum number of writes that wait for a response at the same time.
const MAX_IN_FLIGHT: usize = 16;

/// Maximum number of writes in flight in [`Lane::Status`]. The rest stays free for the other lane,
/// also if the API server responds slowly.
const MAX_STATUS_IN_FLIGHT: usize = 12;

/// The writes that wait for a response, at most one for each object.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    keys: BTreeSet<ObjectKey>,
    requests: FuturesUnordered<BoxFuture<'static, Box<FinishedWrite>>>,
}

/// A write that has ended.
#[derive(Debug)]
pub(in crate::sources::kube) struct FinishedWrite {
    pub(super) key: ObjectKey,
    pub(super) write: PendingWrite,
    pub(super) changes: Vec<FieldChange>,
    pub(super) result: WriteResult,
}

impl InFlight {
    /// Returns `true` if a write of this lane may be sent.
    pub(super) fn has_room(&self, lane: Lane) -> bool {
        let of_lane = self.keys.iter().filter(|key| Lane::of(key) == lane).count();
        let is_lane_full = lane == Lane::Status && of_lane >= MAX_STATUS_IN_FLIGHT;
        self.requests.len() < MAX_IN_FLIGHT && !is_lane_full
    }

    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn add(
        &mut self,
        key: ObjectKey,
        request: impl Future<Output = Box<FinishedWrite>> + Send + 'static,
    ) {
        self.keys.insert(key);
        self.requests.push(Box::pin(request));
    }

    /// Waits for the next write to end; `None` if there is none.
    ///
    /// # Cancel safety
    /// Cancel safe: a write is removed only when it is returned.
    pub(super) async fn next(&mut self) -> Option<Box<FinishedWrite>> {
        let finished = self.requests.next().await?;
        self.keys.remove(&finished.key);
        Some(finished)
    }

    /// Cancels all writes.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.keys.clear();
    }
}
