//! Text about a route whose endpoints or backends changed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::plan::{BackendId, RejectReason, RoutePlan, Share, Target};

/// Maximum number of endpoints, or backends, of one kind in the text of a route.
const MAX_ITEMS: usize = 3;

/// Weight of a backend, and the reason if it rejects connections.
type BackendState = (u64, Option<RejectReason>);

/// Describes a route with the number of its endpoints and what changed:
/// `TCPRoute/default/db: 3 endpoints +10.0.0.4:5432 -10.0.0.1:5432`.
pub(super) fn describe_route(before: Option<&RoutePlan>, now: &RoutePlan) -> String {
    let (old, new) = (before.map(endpoints).unwrap_or_default(), endpoints(now));
    let mut text = match (new.len(), &now.shares[..]) {
        (0, [Share { target: Target::Reject { reason, .. }, .. }]) => {
            format!("{}: no endpoints, connections are reset ({reason})", now.id)
        }
        (0, _) => format!("{}: no endpoints, connections are reset", now.id),
        (1, _) => format!("{}: 1 endpoint", now.id),
        (count, _) => format!("{}: {count} endpoints", now.id),
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
    let shares = route.shares.iter().filter(|share| share.weight > 0);
    let endpoints = shares.flat_map(|share| match &share.target {
        Target::Backend(backend) => &backend.endpoints[..],
        Target::Reject { .. } => &[],
    });
    endpoints.map(|endpoint| endpoint.address).collect()
}

/// Returns the state of each backend. A route may refer to the same one several times.
fn backends(route: &RoutePlan) -> BTreeMap<&BackendId, BackendState> {
    let mut states = BTreeMap::<_, BackendState>::new();
    for share in &route.shares {
        let (sum, reason) = states.entry(share.backend()).or_default();
        *sum += u64::from(share.weight);
        *reason = match &share.target {
            Target::Backend(_) => None,
            Target::Reject { reason, .. } => Some(*reason),
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
    use crate::plan::{BackendPlan, Endpoint, RouteId};

    fn share(name: &str, weight: u32, endpoints: &[&str]) -> Share {
        let id = BackendId::new(format!("default/{name}").parse().unwrap(), None);
        if endpoints.is_empty() {
            return Share::reject(weight, id, RejectReason::NoEndpoints);
        }
        let endpoints = endpoints.iter().map(|text| Endpoint::new(text.parse().unwrap()));
        Share::new(weight, Arc::new(BackendPlan::new(id, endpoints)))
    }

    fn route(shares: impl IntoIterator<Item = Share>) -> RoutePlan {
        RoutePlan::new(RouteId::tcp("default/r".parse().unwrap()), shares.into_iter().collect())
    }

    #[test]
    fn route_text_contains_added_and_removed_endpoints() {
        let before = route([share("a", 1, &["10.0.0.1:1", "10.0.0.2:1"])]);
        let now = route([share("a", 1, &["10.0.0.2:1", "[2001:db8::1]:1"])]);
        assert_eq!(
            describe_route(Some(&before), &now),
            "TCPRoute/default/r: 2 endpoints +[2001:db8::1]:1 -10.0.0.1:1"
        );
        assert_eq!(
            describe_route(None, &before),
            "TCPRoute/default/r: 2 endpoints +10.0.0.1:1 +10.0.0.2:1"
        );
    }

    #[test]
    fn route_text_contains_three_endpoints_and_the_number_of_others() {
        let endpoints: Vec<_> = (1..=6).map(|last| format!("10.0.0.{last}:1")).collect();
        let endpoints: Vec<_> = endpoints.iter().map(String::as_str).collect();
        assert_eq!(
            describe_route(None, &route([share("a", 1, &endpoints)])),
            "TCPRoute/default/r: 6 endpoints +10.0.0.1:1 +10.0.0.2:1 +10.0.0.3:1 and 3 more endpoints"
        );
    }

    #[test]
    fn route_text_contains_the_reason_if_connections_are_reset() {
        let before = route([share("a", 1, &["10.0.0.1:1"])]);
        assert_eq!(
            describe_route(Some(&before), &route([share("a", 1, &[])])),
            "TCPRoute/default/r: no endpoints, connections are reset (no_endpoints) -10.0.0.1:1"
        );
        // A backend without weight gets no connections.
        assert_eq!(
            describe_route(Some(&before), &route([share("a", 0, &["10.0.0.1:1"])])),
            "TCPRoute/default/r: no endpoints, connections are reset -10.0.0.1:1 \
             [default/a weight 0, before 1]"
        );
    }

    #[test]
    fn route_text_contains_changed_backends() {
        let before = route([
            share("a", 90, &["10.0.0.1:1"]),
            share("b", 10, &["10.0.0.2:1"]),
            share("c", 1, &["10.0.0.3:1"]),
        ]);
        let now = route([
            share("a", 50, &["10.0.0.1:1"]),
            share("c", 1, &[]),
            share("d", 50, &["10.0.0.2:1"]),
        ]);
        assert_eq!(
            describe_route(Some(&before), &now),
            "TCPRoute/default/r: 2 endpoints -10.0.0.3:1 [default/a weight 50, before 90] \
             [default/c rejects its connections: no_endpoints] [default/d added with weight 50] \
             [default/b removed]"
        );
    }
}
