//! Suggestions for misspelt kinds.

use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;

/// Kinds of Gateway API that this crate does not read, including former and experimental kinds.
const OTHER_KINDS: &[&str] = &[
    "BackendLBPolicy",
    "BackendTLSPolicy",
    "BackendTrafficPolicy",
    "GRPCRoute",
    "HTTPRoute",
    "ListenerSet",
    "Mesh",
    "ReferencePolicy",
    "TLSRoute",
    "UDPRoute",
];

/// Maximum edit distance of a misspelt kind to the suggested one.
const MAX_DISTANCE: usize = 2;

/// Returns the error for a kind that Gateway API does not have, with a suggestion if there is a
/// similar one.
pub(super) fn unknown_kind_error(kind: &str) -> Option<String> {
    let ours = ObjectKind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP);
    let all: Vec<_> = ours.map(|kind| kind.as_str()).chain(OTHER_KINDS.iter().copied()).collect();
    if all.contains(&kind.strip_suffix("List").unwrap_or(kind)) {
        return None;
    }
    let distance_to = |known: &str| edit_distance(&kind.to_lowercase(), &known.to_lowercase());
    let nearest = all
        .iter()
        .map(|known| (distance_to(known), known))
        .filter(|(distance, _)| *distance <= MAX_DISTANCE)
        .min();
    let hint = nearest.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default();
    Some(format!("{kind} is not a kind of Gateway API{hint}"))
}

/// Returns the Levenshtein distance of two words.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (row_index, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], row_index + 1);
        for (column, to) in other.iter().enumerate() {
            let substitution = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substitution.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_kind_is_suggested() {
        for (kind, guess) in [
            ("Gatewy", "Gateway"),
            ("gateway", "Gateway"),
            ("TcpRuote", "TCPRoute"),
            ("GatewayClas", "GatewayClass"),
            ("HTTPRout", "HTTPRoute"),
        ] {
            let expected = format!("{kind} is not a kind of Gateway API; did you mean {guess}?");
            assert_eq!(unknown_kind_error(kind), Some(expected));
        }
        assert_eq!(
            unknown_kind_error("Balloon").as_deref(),
            Some("Balloon is not a kind of Gateway API")
        );
        for known in ["Gateway", "HTTPRoute", "UDPRouteList"] {
            assert_eq!(unknown_kind_error(known), None);
        }
    }
}
