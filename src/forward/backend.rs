//! A backend: its endpoints, whose turn it is, and which of them fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::endpoints::{Rotation, Turns};
use super::shared_marks::SharedMarks;
use crate::plan::BackendPlan;

/// A backend: its plan and the state of its endpoints. All routes and workers share both.
#[derive(Debug)]
pub(super) struct Backend {
    plan: Arc<BackendPlan>,
    /// Shared with the predecessor, whose connections continue to record their results.
    state: Arc<EndpointState>,
}

/// The state of the endpoints of a backend.
#[derive(Debug)]
struct EndpointState {
    rotation: Rotation,
    marks: SharedMarks,
    /// Number of dials in progress.
    dials: AtomicUsize,
}

impl Backend {
    /// Creates a backend whose rotation begins at `first_position`.
    pub(super) fn new(plan: Arc<BackendPlan>, first_position: usize, marks: SharedMarks) -> Self {
        let rotation = Rotation::starting_at(first_position);
        Self {
            plan,
            state: Arc::new(EndpointState { rotation, marks, dials: AtomicUsize::new(0) }),
        }
    }

    /// Creates the backend that replaces this one after a change of its endpoints. It continues the
    /// rotation, and keeps the marks of the endpoints that both have.
    pub(super) fn successor(&self, plan: Arc<BackendPlan>) -> Self {
        self.state.marks.retain(&plan.endpoints);
        Self { plan, state: self.state.clone() }
    }

    pub(super) fn plan(&self) -> &Arc<BackendPlan> {
        &self.plan
    }

    /// Returns the endpoints, and whose turn it is.
    pub(super) fn turns(&self) -> Turns<'_> {
        Turns { endpoints: &self.plan.endpoints, rotation: &self.state.rotation }
    }

    pub(super) fn marks(&self) -> &SharedMarks {
        &self.state.marks
    }

    /// Counts a dial. Returns `false` if there are `limit` dials in progress.
    pub(super) fn start_dial(&self, limit: usize) -> bool {
        let add = |dials: usize| (dials < limit).then_some(dials + 1);
        self.state.dials.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    /// Counts the end of a dial.
    pub(super) fn end_dial(&self) {
        self.state.dials.fetch_sub(1, Ordering::Relaxed);
    }
}
