//! Load balancing: selects a backend and its endpoints for a connection.
//!
//! Backends are selected by *smooth weighted round robin*: for each connection, the current weight
//! of every backend grows by its configured weight; the backend with the highest current weight is
//! selected, and its current weight is reduced by the sum of all weights. In any sequence of
//! connections, each backend gets its share to within two connections, without randomness and
//! without bursts. Connections of a backend without endpoints are rejected, not moved to other
//! backends.
//!
//! All workers share the state, so the shares are exact for the route, not only for each worker.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::plan::{BackendPlan, RejectReason, RoutePlan, Target};

/// A route: its plan and the state of its rotation.
#[derive(Debug)]
pub(super) struct Route {
    plan: Arc<RoutePlan>,
    /// The current weight of each backend.
    current_weights: Mutex<Box<[i64]>>,
    /// The round-robin position in the endpoints of each backend.
    cursors: Box<[AtomicUsize]>,
}

/// The selected backend of a connection.
pub(super) struct Pick<'a> {
    /// The index of the backend in the plan; `None` if all weights are 0.
    pub(super) backend: Option<usize>,
    /// The endpoints to dial, or the reason to reject the connection.
    pub(super) target: Result<Endpoints<'a>, RejectReason>,
}

/// The endpoints of a backend, in the order in which to dial them.
pub(super) struct Endpoints<'a> {
    addresses: &'a [SocketAddr],
    first: usize,
}

impl Route {
    /// Creates a route for `plan`. It continues the rotation of its predecessor: that of the
    /// backends if their weights are the same, and that of the endpoints of each backend that both
    /// have.
    pub(super) fn new(plan: Arc<RoutePlan>, predecessor: Option<&Self>) -> Self {
        let weights = |plan: &RoutePlan| -> Vec<_> {
            plan.backends.iter().map(|backend| backend.weight).collect()
        };
        let current_weights =
            predecessor.filter(|old| weights(&old.plan) == weights(&plan)).map_or_else(
                || vec![0; plan.backends.len()].into(),
                |old| old.lock_current_weights().clone(),
            );
        let turn = |backend: &BackendPlan| {
            let old = predecessor?;
            let index =
                old.plan.backends.iter().position(|other| other.backend == backend.backend)?;
            Some(old.cursors[index].load(Ordering::Relaxed))
        };
        let cursors = plan
            .backends
            .iter()
            .map(|backend| AtomicUsize::new(turn(backend).unwrap_or(0)))
            .collect();
        Self { plan, current_weights: Mutex::new(current_weights), cursors }
    }

    pub(super) fn plan(&self) -> &Arc<RoutePlan> {
        &self.plan
    }

    /// Selects a backend, and the first of its endpoints to dial.
    pub(super) fn pick(&self) -> Pick<'_> {
        let Some(index) = self.pick_backend() else {
            return Pick { backend: None, target: Err(RejectReason::NoWeight) };
        };
        let target = match &self.plan.backends[index].target {
            Target::Reject(reason) => Err(*reason),
            Target::Endpoints(addresses) if addresses.is_empty() => Err(RejectReason::NoEndpoints),
            Target::Endpoints(addresses) => {
                let turn = self.cursors[index].fetch_add(1, Ordering::Relaxed);
                Ok(Endpoints { addresses, first: turn % addresses.len() })
            }
        };
        Pick { backend: Some(index), target }
    }

    /// Returns the index of the next backend; `None` if all weights are 0.
    fn pick_backend(&self) -> Option<usize> {
        let backends = &self.plan.backends;
        if let [only] = &backends[..] {
            return (only.weight > 0).then_some(0);
        }
        let mut current_weights = self.lock_current_weights();
        let mut total_weight = 0;
        let mut best = None;
        for (index, backend) in
            backends.iter().enumerate().filter(|(_, backend)| backend.weight > 0)
        {
            let weight = i64::from(backend.weight);
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

impl Endpoints<'_> {
    /// Returns at most `attempts` different endpoints, in round-robin order.
    pub(super) fn in_turn(&self, attempts: usize) -> impl Iterator<Item = SocketAddr> + '_ {
        let count = self.addresses.len();
        (0..attempts.min(count)).map(move |step| self.addresses[(self.first + step) % count])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NamespacedName, ObjectName, default_namespace};
    use crate::plan::BackendId;

    fn name(name: &str) -> NamespacedName {
        NamespacedName { namespace: default_namespace(), name: ObjectName::new(name).unwrap() }
    }

    fn plan(weights: &[u32]) -> Arc<RoutePlan> {
        let backend = |(index, weight): (usize, &u32)| BackendPlan {
            backend: BackendId { name: name(&format!("b{index}")), port: None },
            weight: *weight,
            target: Target::Endpoints(Arc::new([
                ([127, 0, 0, 1], 1).into(),
                ([127, 0, 0, 1], 2).into(),
            ])),
        };
        Arc::new(RoutePlan {
            route: name("r"),
            backends: weights.iter().enumerate().map(backend).collect(),
        })
    }

    fn picks(route: &Route, count: usize) -> Vec<usize> {
        (0..count).map(|_| route.pick().backend.unwrap()).collect()
    }

    #[test]
    fn shares_are_exact_over_a_period_and_near_over_any_window() {
        for weights in [&[70, 30, 0][..], &[1, 1, 1], &[5, 1, 1], &[1_000_000, 1], &[3, 0, 7, 11]] {
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let route = Route::new(plan(weights), None);
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
            let route = Route::new(plan(weights), None);
            assert!(matches!(route.pick().target, Err(RejectReason::NoWeight)));
        }
    }

    #[test]
    fn endpoints_rotate_with_each_pick() {
        let route = Route::new(plan(&[1]), None);
        let ports = |route: &Route| -> Vec<_> {
            route
                .pick()
                .target
                .unwrap_or_else(|reason| panic!("{reason}"))
                .in_turn(3)
                .map(|address| address.port())
                .collect()
        };
        assert_eq!(ports(&route), [1, 2]);
        assert_eq!(ports(&route), [2, 1]);
    }

    #[test]
    fn successor_continues_the_rotation() {
        let old = Route::new(plan(&[2, 1]), None);
        let expected = picks(&Route::new(plan(&[2, 1]), None), 6);
        let mut got = picks(&old, 2);
        got.extend(picks(&Route::new(plan(&[2, 1]), Some(&old)), 4));
        assert_eq!(got, expected);
    }
}
