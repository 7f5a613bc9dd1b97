//! Listeners: identifier, addresses and routing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::address::ListenAddress;
use super::route::RoutePlan;
use crate::model::{InvalidScalar, NamespacedName, SectionName};

/// Identifier of a listener. Text form: `infra/edge/db` for a listener of Gateway `infra/edge`, and
/// `infra/edge/apps/extra/db` for one of its ListenerSet `apps/extra`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ListenerId {
    /// The Gateway.
    pub gateway: NamespacedName,
    /// The ListenerSet that contains the listener; `None` for a listener of the Gateway itself.
    /// Names of listeners can repeat between the sets of a Gateway.
    pub set: Option<NamespacedName>,
    /// The name of the listener in the Gateway or ListenerSet.
    pub listener: SectionName,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListenerPlan {
    /// The addresses of the listener. Several of them may have the same `bind`, which is opened
    /// once.
    pub addresses: Vec<ListenAddress>,
    /// The route of each connection.
    pub routing: Routing,
}

/// The route of a listener's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Routing {
    /// No route is attached: every connection is rejected.
    Unrouted,
    /// All connections take the same route.
    Single(Arc<RoutePlan>),
}

impl ListenerId {
    /// Creates the identifier of a listener of a Gateway.
    pub const fn new(gateway: NamespacedName, listener: SectionName) -> Self {
        Self { gateway, set: None, listener }
    }

    /// Creates the identifier of a listener of a ListenerSet that is attached to a Gateway.
    pub const fn in_set(
        gateway: NamespacedName,
        set: NamespacedName,
        listener: SectionName,
    ) -> Self {
        Self { gateway, set: Some(set), listener }
    }
}

impl ListenerPlan {
    /// Creates a listener.
    pub const fn new(addresses: Vec<ListenAddress>, routing: Routing) -> Self {
        Self { addresses, routing }
    }
}

impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.gateway)?;
        if let Some(set) = &self.set {
            write!(f, "{set}/")?;
        }
        self.listener.fmt(f)
    }
}

impl FromStr for ListenerId {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        let invalid = || InvalidScalar {
            found: text.to_owned(),
            expected: "a listener with its Gateway, as in default/gateway/listener, or with its \
                       Gateway and ListenerSet, as in default/gateway/default/set/listener",
        };
        let (parents, listener) = text.rsplit_once('/').ok_or_else(invalid)?;
        let listener = listener.parse()?;
        let mut slashes = parents.match_indices('/').map(|(index, _)| index);
        match (slashes.next(), slashes.next(), slashes.next(), slashes.next()) {
            (Some(_), None, ..) => Ok(Self::new(parents.parse()?, listener)),
            (Some(_), Some(middle), Some(_), None) => {
                let (gateway, set) = (&parents[..middle], &parents[middle + 1..]);
                Ok(Self::in_set(gateway.parse()?, set.parse()?, listener))
            }
            _ => Err(invalid()),
        }
    }
}

impl Serialize for ListenerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listener_id_parses_its_text_form() {
        let of_gateway: ListenerId = "infra/edge/db".parse().unwrap();
        let gateway: NamespacedName = "infra/edge".parse().unwrap();
        assert_eq!(of_gateway, ListenerId::new(gateway.clone(), "db".parse().unwrap()));
        let of_set: ListenerId = "infra/edge/apps/extra/db".parse().unwrap();
        let set = "apps/extra".parse().unwrap();
        assert_eq!(of_set, ListenerId::in_set(gateway, set, "db".parse().unwrap()));
        for id in [of_gateway, of_set] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for bad in ["db", "edge/db", "infra/edge/", "a/b/c/d", "a/b/c/d/e/f", "a/b//d/e"] {
            assert!(bad.parse::<ListenerId>().is_err(), "{bad}");
        }
    }
}
