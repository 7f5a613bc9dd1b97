//! Suggestions for misspelt kinds.

use super::suggest::nearest;
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

/// Returns the error for a kind that Gateway API does not have, with a suggestion if there is a
/// similar one.
pub(super) fn unknown_kind_error(kind: &str) -> Option<String> {
    let ours = ObjectKind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP);
    let all: Vec<_> = ours.map(|kind| kind.as_str()).chain(OTHER_KINDS.iter().copied()).collect();
    if all.contains(&kind.strip_suffix("List").unwrap_or(kind)) {
        return None;
    }
    let hint =
        nearest(kind, all).map(|known| format!("; did you mean {known}?")).unwrap_or_default();
    Some(format!("{kind} is not a kind of Gateway API{hint}"))
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
