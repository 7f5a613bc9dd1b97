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

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::endpoints::Rotation;
use crate::plan::{BackendId, BackendPlan, RejectReason, RoutePlan, Target};

/// A route: its plan and the state of its rotation.
#[derive(Debug)]
pub(super) struct Route {
    plan: Arc<RoutePlan>,
    /// The current weight of each backend.
    current_weights: Mutex<Box<[i64]>>,
    /// The rotation of the endpoints of each backend.
    rotations: Box<[Rotation]>,
}

/// The selected backend of a connection.
pub(super) struct Pick<'a> {
    /// The index of the backend in the plan; `None` if all weights are 0.
    pub(super) backend: Option<usize>,
    /// The endpoints, or the reason to reject the connection.
    pub(super) target: Result<Endpoints<'a>, RejectReason>,
}

/// The endpoints of a backend. There is at least one.
pub(super) struct Endpoints<'a> {
    pub(super) backend: &'a BackendId,
    pub(super) addresses: &'a [SocketAddr],
    pub(super) rotation: &'a Rotation,
}

impl Route {
    /// Creates a route for `plan`. It continues the rotation of its predecessor: that of the
    /// backends if their weights are the same, and that of the endpoints of each backend that both
    /// have. Other backends begin with an endpoint that depends on the seed.
    pub(super) fn new(
        plan: Arc<RoutePlan>,
        endpoint_seed: u64,
        predecessor: Option<&Self>,
    ) -> Self {
        let weights = |plan: &RoutePlan| -> Vec<_> {
            plan.backends.iter().map(|backend| backend.weight).collect()
        };
        let current_weights =
            predecessor.filter(|old| weights(&old.plan) == weights(&plan)).map_or_else(
                || vec![0; plan.backends.len()].into(),
                |old| old.lock_current_weights().clone(),
            );
        let kept_position = |backend: &BackendPlan| {
            let old = predecessor?;
            let index =
                old.plan.backends.iter().position(|other| other.backend == backend.backend)?;
            Some(old.rotations[index].position())
        };
        let first_position = |backend: &BackendPlan| {
            let mut hasher = DefaultHasher::new();
            (endpoint_seed, &plan.route, &backend.backend).hash(&mut hasher);
            hasher.finish() as usize
        };
        let rotation = |backend| {
            let position = kept_position(backend).unwrap_or_else(|| first_position(backend));
            Rotation::starting_at(position)
        };
        let rotations = plan.backends.iter().map(rotation).collect();
        Self { plan, current_weights: Mutex::new(current_weights), rotations }
    }

    pub(super) fn plan(&self) -> &Arc<RoutePlan> {
        &self.plan
    }

    /// Selects a backend.
    pub(super) fn pick(&self) -> Pick<'_> {
        let Some(index) = self.pick_backend() else {
            return Pick { backend: None, target: Err(RejectReason::NoWeight) };
        };
        let backend = &self.plan.backends[index];
        let target = match &backend.target {
            Target::Reject(reason) => Err(*reason),
            Target::Endpoints(addresses) if addresses.is_empty() => Err(RejectReason::NoEndpoints),
            Target::Endpoints(addresses) => Ok(Endpoints {
                backend: &backend.backend,
                addresses,
                rotation: &self.rotations[index],
            }),
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
            let route = Route::new(plan(weights), 0, None);
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
            let route = Route::new(plan(weights), 0, None);
            assert!(matches!(route.pick().target, Err(RejectReason::NoWeight)));
        }
    }

    fn first_position(route: &str, seed: u64, predecessor: Option<&Route>) -> usize {
        let plan = RoutePlan { route: name(route), ..(*plan(&[1])).clone() };
        Route::new(Arc::new(plan), seed, predecessor).rotations[0].position()
    }

    #[test]
    fn first_endpoints_differ_between_routes_and_seeds() {
        let by_route = |number| first_position(&format!("r{number}"), 0, None) % 6;
        let by_seed = |seed| first_position("r", seed, None) % 6;
        for first in [&by_route as &dyn Fn(u64) -> usize, &by_seed] {
            let mut counts = [0; 6];
            (0..600).for_each(|number| counts[first(number)] += 1);
            assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
        }
        assert_eq!(first_position("r", 7, None), first_position("r", 7, None));
    }

    #[test]
    fn successor_keeps_the_position_of_the_endpoints() {
        let old = Route::new(plan(&[1]), 0, None);
        let successor = Route::new(plan(&[2]), 1, Some(&old));
        assert_eq!(successor.rotations[0].position(), old.rotations[0].position());
    }

    #[test]
    fn successor_continues_the_rotation() {
        let old = Route::new(plan(&[2, 1]), 0, None);
        let expected = picks(&Route::new(plan(&[2, 1]), 0, None), 6);
        let mut got = picks(&old, 2);
        got.extend(picks(&Route::new(plan(&[2, 1]), 0, Some(&old)), 4));
        assert_eq!(got, expected);
    }
}
