//! Load balancing: selects a backend for a connection.
//!
//! Backends are selected by *smooth weighted round robin*: for each connection, the current weight
//! of every backend grows by its configured weight; the backend with the highest current weight is
//! selected, and its current weight is reduced by the sum of all weights. In any sequence of
//! connections, each backend gets its share to within two connections, without randomness and
//! without bursts. Connections of a backend without endpoints are rejected, not moved to other
//! backends.
//!
//! All workers share the state, so the shares are exact for the route, not only for each worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::backend::Backend;
use super::backend_table::BackendTable;
use crate::plan::{RejectReason, RoutePlan, Target};

/// A route: its plan, its backends and the state of its rotation.
#[derive(Debug)]
pub(super) struct Route {
    plan: Arc<RoutePlan>,
    /// The target of each share.
    targets: Box<[Result<Arc<Backend>, RejectReason>]>,
    /// The current weight of each share.
    current_weights: Mutex<Box<[i64]>>,
}

/// The selected share of a connection.
pub(super) struct Pick {
    /// The index of the share in the plan; `None` if all weights are 0.
    pub(super) share: Option<usize>,
    /// The reason to reject the connection, unless its backend has endpoints.
    pub(super) target: Result<(), RejectReason>,
}

impl Route {
    /// Creates a route for `plan`, and acquires its backends. It continues the rotation of its
    /// predecessor if the weights are the same.
    pub(super) fn new(
        plan: Arc<RoutePlan>,
        backends: &mut BackendTable,
        predecessor: Option<&Self>,
    ) -> Self {
        let weights =
            |plan: &RoutePlan| -> Vec<_> { plan.shares.iter().map(|share| share.weight).collect() };
        let current_weights =
            predecessor.filter(|old| weights(&old.plan) == weights(&plan)).map_or_else(
                || vec![0; plan.shares.len()].into(),
                |old| old.lock_current_weights().clone(),
            );
        let targets = plan.shares.iter().map(|share| match &share.target {
            Target::Reject { reason, .. } => Err(*reason),
            Target::Backend(backend) => Ok(backends.acquire(backend)),
        });
        let targets = targets.collect();
        Self { plan, targets, current_weights: Mutex::new(current_weights) }
    }

    pub(super) fn plan(&self) -> &Arc<RoutePlan> {
        &self.plan
    }

    /// Returns the backends, one for each share that has one.
    pub(super) fn backends(&self) -> impl Iterator<Item = &Backend> {
        self.targets.iter().flatten().map(AsRef::as_ref)
    }

    /// Returns the backend of a share, unless it rejects connections.
    pub(super) fn backend(&self, share: usize) -> Option<&Backend> {
        self.targets.get(share)?.as_deref().ok()
    }

    /// Selects a share.
    pub(super) fn pick(&self) -> Pick {
        let Some(index) = self.pick_share() else {
            return Pick { share: None, target: Err(RejectReason::NoWeight) };
        };
        let target = match &self.targets[index] {
            Err(reason) => Err(*reason),
            Ok(backend) if backend.plan().endpoints.is_empty() => Err(RejectReason::NoEndpoints),
            Ok(_) => Ok(()),
        };
        Pick { share: Some(index), target }
    }

    /// Returns the index of the next share; `None` if all weights are 0.
    fn pick_share(&self) -> Option<usize> {
        let shares = &self.plan.shares;
        if let [only] = &shares[..] {
            return (only.weight > 0).then_some(0);
        }
        let mut current_weights = self.lock_current_weights();
        let mut total_weight = 0;
        let mut best = None;
        for (index, share) in shares.iter().enumerate().filter(|(_, share)| share.weight > 0) {
            let weight = i64::from(share.weight);
            total_weight += weight;
            current_weights[index] += weight;
            if best.is_none_or(|best: usize| current_weights[index] > current_weights[best]) {
                best = Some(index);
            }
        }
        if let Some(best) = best {
            current_weights[best] -= total_weight;
        }
        best
    }

    /// Locks the current weights. The lock is held for a few additions only, also during a reload.
    fn lock_current_weights(&self) -> MutexGuard<'_, Box<[i64]>> {
        self.current_weights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{BackendId, BackendPlan, Endpoint, RouteId, Share};

    fn plan(weights: &[u32]) -> Arc<RoutePlan> {
        let share = |(index, weight): (usize, &u32)| {
            let name = format!("default/b{index}").parse().unwrap();
            let endpoints = [1, 2].map(|port| Endpoint::new(([127, 0, 0, 1], port).into()));
            let backend = BackendPlan::new(BackendId::new(name, None), endpoints);
            Share::new(*weight, Arc::new(backend))
        };
        let shares = weights.iter().enumerate().map(share).collect();
        Arc::new(RoutePlan::new(RouteId::tcp("default/r".parse().unwrap()), shares))
    }

    fn route(weights: &[u32], predecessor: Option<&Route>) -> Route {
        Route::new(plan(weights), &mut BackendTable::new(0), predecessor)
    }

    fn picks(route: &Route, count: usize) -> Vec<usize> {
        (0..count).map(|_| route.pick().share.unwrap()).collect()
    }

    #[test]
    fn shares_are_exact_over_a_period_and_near_over_any_window() {
        for weights in [&[70, 30, 0][..], &[1, 1, 1], &[5, 1, 1], &[1_000_000, 1], &[3, 0, 7, 11]] {
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let route = route(weights, None);
            let count = total.min(500) as usize;
            let picked = picks(&route, 2 * count);
            for (index, weight) in weights.iter().enumerate() {
                for window in [1, 7, count / 2, count].into_iter().filter(|window| *window > 0) {
                    for window in picked.windows(window) {
                        let got = window.iter().filter(|pick| **pick == index).count();
                        let window = window.len();
                        let due = window as f64 * f64::from(*weight) / total as f64;
                        assert!(
                            (got as f64 - due).abs() < 2.0,
                            "{weights:?}: {got} of {window}, due {due}"
                        );
                    }
                }
                if u64::try_from(count) == Ok(total) {
                    let got = picked[..count].iter().filter(|pick| **pick == index).count();
                    assert_eq!(got, *weight as usize, "{weights:?} over one period");
                }
            }
        }
    }

    #[test]
    fn pick_without_weight_rejects() {
        for weights in [&[0, 0][..], &[0], &[]] {
            let route = route(weights, None);
            assert!(matches!(route.pick().target, Err(RejectReason::NoWeight)));
        }
    }

    #[test]
    fn successor_continues_the_rotation() {
        let old = route(&[2, 1], None);
        let expected = picks(&route(&[2, 1], None), 6);
        let mut got = picks(&old, 2);
        got.extend(picks(&route(&[2, 1], Some(&old)), 4));
        assert_eq!(got, expected);
    }
}
