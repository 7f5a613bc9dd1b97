//! Text about a route whose endpoints or backends changed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::plan::{BackendId, BackendPlan, RejectReason, RoutePlan, Target};

/// Maximum number of endpoints, or backends, of one kind in the text of a route.
const MAX_ITEMS: usize = 3;

/// Weight of a backend, and the reason if it rejects connections.
type BackendState = (u64, Option<RejectReason>);

/// Describes a route with the number of its endpoints and what changed:
/// `default/db: 3 endpoints +10.0.0.4:5432 -10.0.0.1:5432`.
pub(super) fn describe_route(before: Option<&RoutePlan>, now: &RoutePlan) -> String {
    let (old, new) = (before.map(endpoints).unwrap_or_default(), endpoints(now));
    let mut text = match (new.len(), &now.backends[..]) {
        (0, [BackendPlan { target: Target::Reject(reason), .. }]) => {
            format!("{}: no endpoints, connections are reset ({reason})", now.route)
        }
        (0, _) => format!("{}: no endpoints, connections are reset", now.route),
        (1, _) => format!("{}: 1 endpoint", now.route),
        (count, _) => format!("{}: {count} endpoints", now.route),
    };
    append_limited(
        &mut text,
        new.difference(&old).map(|endpoint| format!("+{endpoint}")),
        "endpoints",
    );
    append_limited(
        &mut text,
        old.difference(&new).map(|endpoint| format!("-{endpoint}")),
        "endpoints",
    );
    let (old, new) = (before.map(backends), backends(now));
    let changed = new.iter().filter_map(|(id, (weight, reason))| {
        let old_state = old.as_ref().map(|old| old.get(id));
        // The text above contains the reason of a single backend.
        let reason = reason.filter(|_| new.len() > 1);
        describe_backend(id, old_state, (*weight, reason))
    });
    append_limited(&mut text, changed, "backends");
    let is_removed = |id: &&&BackendId| !new.contains_key(*id);
    let removed = old.iter().flat_map(BTreeMap::keys).filter(is_removed);
    append_limited(&mut text, removed.map(|id| format!("[{id} removed]")), "backends");
    text
}

/// Returns the endpoints of the backends that get connections.
fn endpoints(route: &RoutePlan) -> BTreeSet<SocketAddr> {
    let backends = route.backends.iter().filter(|backend| backend.weight > 0);
    let endpoints = backends.flat_map(|backend| match &backend.target {
        Target::Endpoints(endpoints) => &endpoints[..],
        Target::Reject(_) => &[],
    });
    endpoints.copied().collect()
}

/// Returns the state of each backend. A route may refer to the same one several times.
fn backends(route: &RoutePlan) -> BTreeMap<&BackendId, BackendState> {
    let mut states = BTreeMap::<_, BackendState>::new();
    for BackendPlan { backend, weight, target } in &route.backends {
        let (sum, reason) = states.entry(backend).or_default();
        *sum += u64::from(*weight);
        *reason = match target {
            Target::Endpoints(_) => None,
            Target::Reject(reason) => Some(*reason),
        };
    }
    states
}

/// Describes how a backend changed; returns `None` if it did not, or only its endpoints did.
///
/// `old` is `None` if the whole route is new, and `Some(None)` if the backend is new.
fn describe_backend(
    id: &BackendId,
    old: Option<Option<&BackendState>>,
    (weight, rejects): BackendState,
) -> Option<String> {
    let mut parts = Vec::new();
    match old {
        Some(None) => parts.push(format!("added with weight {weight}")),
        Some(Some((old_weight, _))) if *old_weight != weight => {
            parts.push(format!("weight {weight}, before {old_weight}"));
        }
        _ => {}
    }
    let rejected_before = old.flatten().and_then(|(_, reason)| *reason);
    if let Some(reason) = rejects.filter(|_| rejects != rejected_before) {
        parts.push(format!("rejects its connections: {reason}"));
    }
    (!parts.is_empty()).then(|| format!("[{id} {}]", parts.join("; ")))
}

fn append_limited(text: &mut String, mut items: impl Iterator<Item = String>, what: &str) {
    for item in items.by_ref().take(MAX_ITEMS) {
        text.push(' ');
        text.push_str(&item);
    }
    let more = items.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more {what}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn backend(name: &str, weight: u32, endpoints: &[&str]) -> BackendPlan {
        let endpoints: Arc<[_]> = endpoints.iter().map(|text| text.parse().unwrap()).collect();
        let target = match endpoints.len() {
            0 => Target::Reject(RejectReason::NoEndpoints),
            _ => Target::Endpoints(endpoints),
        };
        let name = format!("default/{name}").parse().unwrap();
        BackendPlan { backend: BackendId { name, port: None }, weight, target }
    }

    fn route(backends: impl IntoIterator<Item = BackendPlan>) -> RoutePlan {
        let backends = backends.into_iter().collect();
        RoutePlan { route: "default/r".parse().unwrap(), backends }
    }

    #[test]
    fn route_text_contains_added_and_removed_endpoints() {
        let before = route([backend("a", 1, &["10.0.0.1:1", "10.0.0.2:1"])]);
        let now = route([backend("a", 1, &["10.0.0.2:1", "[2001:db8::1]:1"])]);
        assert_eq!(
            describe_route(Some(&before), &now),
            "default/r: 2 endpoints +[2001:db8::1]:1 -10.0.0.1:1"
        );
        assert_eq!(describe_route(None, &before), "default/r: 2 endpoints +10.0.0.1:1 +10.0.0.2:1");
    }

    #[test]
    fn route_text_contains_three_endpoints_and_the_number_of_others() {
        let endpoints: Vec<_> = (1..=6).map(|last| format!("10.0.0.{last}:1")).collect();
        let endpoints: Vec<_> = endpoints.iter().map(String::as_str).collect();
        assert_eq!(
            describe_route(None, &route([backend("a", 1, &endpoints)])),
            "default/r: 6 endpoints +10.0.0.1:1 +10.0.0.2:1 +10.0.0.3:1 and 3 more endpoints"
        );
    }

    #[test]
    fn route_text_contains_the_reason_if_connections_are_reset() {
        let before = route([backend("a", 1, &["10.0.0.1:1"])]);
        assert_eq!(
            describe_route(Some(&before), &route([backend("a", 1, &[])])),
            "default/r: no endpoints, connections are reset (no_endpoints) -10.0.0.1:1"
        );
        // A backend without weight gets no connections.
        assert_eq!(
            describe_route(Some(&before), &route([backend("a", 0, &["10.0.0.1:1"])])),
            "default/r: no endpoints, connections are reset -10.0.0.1:1 \
             [default/a weight 0, before 1]"
        );
    }

    #[test]
    fn route_text_contains_changed_backends() {
        let before = route([
            backend("a", 90, &["10.0.0.1:1"]),
            backend("b", 10, &["10.0.0.2:1"]),
            backend("c", 1, &["10.0.0.3:1"]),
        ]);
        let now = route([
            backend("a", 50, &["10.0.0.1:1"]),
            backend("c", 1, &[]),
            backend("d", 50, &["10.0.0.2:1"]),
        ]);
        assert_eq!(
            describe_route(Some(&before), &now),
            "default/r: 2 endpoints -10.0.0.3:1 [default/a weight 50, before 90] \
             [default/c rejects its connections: no_endpoints] [default/d added with weight 50] \
             [default/b removed]"
        );
    }
}
