//! Telling a kind that is none of our business from one that is misspelt.

use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;

/// The kinds of Gateway API, past and experimental ones too, that are not read here.
const OTHERS: &[&str] = &[
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

/// More typing mistakes than this make another word.
const MAX_MISTAKES: usize = 2;

/// What is wrong with an object of Gateway API's group whose kind is not there.
pub(super) fn misspelt(kind: &str) -> Option<String> {
    let ours = ObjectKind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP);
    let all: Vec<_> = ours.map(|kind| kind.as_str()).chain(OTHERS.iter().copied()).collect();
    if all.contains(&kind.strip_suffix("List").unwrap_or(kind)) {
        return None;
    }
    let mistakes = |known: &str| distance(&kind.to_lowercase(), &known.to_lowercase());
    let guess = all
        .iter()
        .map(|known| (mistakes(known), known))
        .filter(|(mistakes, _)| *mistakes <= MAX_MISTAKES)
        .min();
    let hint = guess.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default();
    Some(format!("{kind} is not a kind of Gateway API{hint}"))
}

/// How many characters must be put in, taken out or replaced to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (before, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], before + 1);
        for (at, to) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_kind_is_suggested() {
        for (kind, guess) in [
            ("Gatewy", "Gateway"),
            ("gateway", "Gateway"),
            ("TcpRuote", "TCPRoute"),
            ("GatewayClas", "GatewayClass"),
            ("HTTPRout", "HTTPRoute"),
        ] {
            let expected = format!("{kind} is not a kind of Gateway API; did you mean {guess}?");
            assert_eq!(misspelt(kind), Some(expected));
        }
        assert_eq!(misspelt("Balloon").as_deref(), Some("Balloon is not a kind of Gateway API"));
        for known in ["Gateway", "HTTPRoute", "UDPRouteList"] {
            assert_eq!(misspelt(known), None);
        }
    }
}
