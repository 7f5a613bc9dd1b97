//! The subject of a condition, and iteration over all conditions of a report.

use std::fmt;

use super::condition::Condition;
use super::meta::NamespacedName;
use super::reference::ParentRef;
use super::scalar::{ObjectName, SectionName};
use super::status::StatusReport;

/// Object, or part of an object, that a condition describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionSubject<'a> {
    /// A GatewayClass.
    GatewayClass(&'a ObjectName),
    /// A Gateway as a whole.
    Gateway(&'a NamespacedName),
    /// A listener of a Gateway.
    Listener {
        /// The Gateway.
        gateway: &'a NamespacedName,
        /// The listener's name.
        listener: &'a SectionName,
    },
    /// The attachment of a route to a parent.
    RouteParent {
        /// The TCPRoute.
        route: &'a NamespacedName,
        /// The parent, as the route refers to it.
        parent: &'a ParentRef,
    },
}

/// Writes kind and name, for logs and tables.
impl fmt::Display for ConditionSubject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayClass(name) => write!(f, "GatewayClass {name}"),
            Self::Gateway(name) => write!(f, "Gateway {name}"),
            Self::Listener { gateway, listener } => write!(f, "listener {gateway}/{listener}"),
            Self::RouteParent { route, parent } => write!(f, "TCPRoute {route} at {parent}"),
        }
    }
}

impl StatusReport {
    /// Returns every condition with its subject. First the GatewayClasses, then each Gateway
    /// followed by its listeners, then the parents of each TCPRoute.
    pub fn conditions(&self) -> impl Iterator<Item = (ConditionSubject<'_>, &Condition)> {
        let classes = self.gateway_classes.iter().flat_map(|(name, class)| {
            class
                .conditions
                .iter()
                .map(move |condition| (ConditionSubject::GatewayClass(name), condition))
        });
        let gateways = self.gateways.iter().flat_map(|(name, gateway)| {
            let listeners = gateway.listeners.iter().flat_map(move |listener| {
                let subject =
                    ConditionSubject::Listener { gateway: name, listener: &listener.name };
                listener.conditions.iter().map(move |condition| (subject, condition))
            });
            let subject = ConditionSubject::Gateway(name);
            gateway.conditions.iter().map(move |condition| (subject, condition)).chain(listeners)
        });
        let routes = self.tcp_routes.iter().flat_map(|(name, route)| {
            route.parents.iter().flat_map(move |parent| {
                let subject =
                    ConditionSubject::RouteParent { route: name, parent: &parent.parent_ref };
                parent.conditions.iter().map(move |condition| (subject, condition))
            })
        });
        classes.chain(gateways).chain(routes)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Condition, ConditionStatus, ConditionType, Reason, StatusReport};

    #[test]
    fn conditions_include_every_subject_in_order() {
        let status = ConditionStatus::True;
        let (condition_type, reason) = (ConditionType::ACCEPTED, Reason::ACCEPTED);
        let report =
            StatusReport::example(Condition::new(condition_type, status, reason, "", None));
        let subjects: Vec<_> =
            report.conditions().map(|(subject, _)| subject.to_string()).collect();
        let expected = [
            "GatewayClass c",
            "Gateway default/g",
            "listener default/g/l",
            "TCPRoute default/r at g",
        ];
        assert_eq!(subjects, expected);
    }
}
