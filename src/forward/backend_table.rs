//! Table of backends by identifier, with reference counts. Routes to the same backend share one
//! entry, so that they use its endpoints in turn together, and avoid an endpoint that one of them
//! found to fail.

use std::collections::{HashMap, hash_map};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::backend::Backend;
use super::dial_log::DialLog;
use super::endpoints::ReportLimiter;
use super::shared_marks::SharedMarks;
use crate::plan::{BackendId, BackendPlan};

/// The backends of all routes.
#[derive(Debug)]
pub(super) struct BackendTable {
    entries: HashMap<BackendId, Entry>,
    /// Seed of the first endpoint of each backend.
    endpoint_seed: u64,
    /// The limits of warnings apply to all backends together.
    reports: Arc<ReportLimiter>,
    dial_log: Arc<DialLog>,
}

#[derive(Debug)]
struct Entry {
    backend: Arc<Backend>,
    /// Number of references in routes. A route can have several.
    ref_count: usize,
}

impl BackendTable {
    pub(super) fn new(endpoint_seed: u64) -> Self {
        Self {
            entries: HashMap::new(),
            endpoint_seed,
            reports: Arc::default(),
            dial_log: Arc::default(),
        }
    }

    /// Returns the backend for `plan` and increments its reference count. A backend with other
    /// endpoints than before keeps its state.
    pub(super) fn acquire(&mut self, plan: &Arc<BackendPlan>) -> Arc<Backend> {
        match self.entries.entry(plan.id.clone()) {
            hash_map::Entry::Vacant(vacant) => {
                let first = first_position(self.endpoint_seed, &plan.id);
                let marks = SharedMarks::new(self.reports.clone(), self.dial_log.clone());
                let backend = Arc::new(Backend::new(plan.clone(), first, marks));
                vacant.insert(Entry { backend, ref_count: 1 }).backend.clone()
            }
            hash_map::Entry::Occupied(occupied) => {
                let entry = occupied.into_mut();
                if entry.backend.plan() != plan {
                    entry.backend = Arc::new(entry.backend.successor(plan.clone()));
                }
                entry.ref_count += 1;
                entry.backend.clone()
            }
        }
    }

    /// Decrements the reference count of a backend, and removes the backend at 0.
    pub(super) fn release(&mut self, id: &BackendId) {
        if let hash_map::Entry::Occupied(mut occupied) = self.entries.entry(id.clone()) {
            occupied.get_mut().ref_count -= 1;
            if occupied.get().ref_count == 0 {
                occupied.remove();
            }
        }
    }
}

#[cfg(test)]
impl BackendTable {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Returns the position of the first endpoint. It depends on the backend, so that the backends of a
/// replica do not all begin with their first endpoint.
fn first_position(seed: u64, id: &BackendId) -> usize {
    let mut hasher = DefaultHasher::new();
    (seed, id).hash(&mut hasher);
    hasher.finish() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_endpoints_differ_between_backends_and_seeds() {
        let position = |seed, name: u64| {
            let id = BackendId::new(format!("default/b{name}").parse().unwrap(), None);
            first_position(seed, &id) % 6
        };
        let by_backend = |number| position(0, number);
        let by_seed = |seed| position(seed, 0);
        for first in [&by_backend as &dyn Fn(u64) -> usize, &by_seed] {
            let mut counts = [0; 6];
            (0..600).for_each(|number| counts[first(number)] += 1);
            assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
        }
        assert_eq!(position(7, 1), position(7, 1));
    }
}
