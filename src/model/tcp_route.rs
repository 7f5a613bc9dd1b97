//! TCPRoute: from listeners to weighted backends.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::meta::{ObjectMeta, null_as_default};
use super::reference::{BackendRef, ParentRef};
use super::scalar::SectionName;
use super::status::RouteStatus;
use super::validate::Violations;

/// A route for the connections of TCP listeners.
///
/// Canonical in version `v1`; `v1alpha2` is read as the same type.
/// Specification: [TCPRoute](https://gateway-api.sigs.k8s.io/reference/spec/#tcproute).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpRoute {
    /// Name, namespace and age.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: TcpRouteSpec,
    /// What controllers have said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RouteStatus>,
}

/// What a TCPRoute asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteSpec {
    /// The parents to attach to; at most 32.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentRef>,
    /// Whether to attach to default Gateways; experimental in Gateway API and not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<String>,
    /// Exactly one in `v1`. A TCPRoute has nothing to match on, so a further rule could never be
    /// chosen: where an old object holds several, the first one counts.
    pub rules: Vec<TcpRouteRule>,
}

/// Where the connections of a TCPRoute go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteRule {
    /// For policies to refer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SectionName>,
    /// The backends that share the connections by weight; 1 to 16.
    pub backend_refs: Vec<BackendRef>,
}

impl TcpRoute {
    /// A route from these parents to these backends.
    pub fn new(metadata: ObjectMeta, parents: Vec<ParentRef>, backends: Vec<BackendRef>) -> Self {
        let spec = TcpRouteSpec {
            parent_refs: parents,
            use_default_gateways: None,
            rules: vec![TcpRouteRule { name: None, backend_refs: backends }],
        };
        Self { metadata, spec, status: None }
    }

    /// The rule that counts.
    pub fn rule(&self) -> Option<&TcpRouteRule> {
        self.spec.rules.first()
    }

    /// `max_rules` is 1 in `v1` and 16 in `v1alpha2`.
    pub(crate) fn validate(&self, max_rules: usize, violations: &mut Violations) {
        violations.metadata(&self.metadata);
        violations.count("spec.parentRefs", self.spec.parent_refs.len(), 0, 32);
        validate_parent_refs(&self.spec.parent_refs, violations);
        violations.count("spec.rules", self.spec.rules.len(), 1, max_rules);
        let mut names = BTreeSet::new();
        for (index, rule) in self.spec.rules.iter().enumerate() {
            let path = format!("spec.rules[{index}]");
            if let Some(name) = &rule.name
                && !names.insert(name)
            {
                violations.add(
                    format!("{path}.name"),
                    format!("`{name}` is the name of an earlier rule; names must be unique"),
                );
            }
            violations.count(&format!("{path}.backendRefs"), rule.backend_refs.len(), 1, 16);
            for (index, backend) in rule.backend_refs.iter().enumerate() {
                if backend.is_service() && backend.port.is_none() {
                    violations.add(
                        format!("{path}.backendRefs[{index}].port"),
                        format!("is missing; a reference to a Service must say which port of `{}` is meant", backend.name),
                    );
                }
            }
        }
    }
}

/// References to one parent must all set the same of sectionName and port, and differ in them.
fn validate_parent_refs(parent_refs: &[ParentRef], violations: &mut Violations) {
    for (index, parent) in parent_refs.iter().enumerate() {
        // As in the CRD, a namespace left out is not the same as the route's own spelled out.
        let same_parent = |other: &&ParentRef| {
            (&other.group, &other.kind, &other.namespace, &other.name)
                == (&parent.group, &parent.kind, &parent.namespace, &parent.name)
        };
        let set = |parent: &ParentRef| (parent.section_name.is_some(), parent.port.is_some());
        let section = |parent: &ParentRef| (parent.section_name.clone(), parent.port);
        for earlier in parent_refs[..index].iter().filter(same_parent) {
            let message = if set(earlier) != set(parent) {
                "must set the same of sectionName and port as the other references to"
            } else if section(earlier) == section(parent) {
                "must differ in sectionName or port from the other references to"
            } else {
                continue;
            };
            violations.add(
                format!("spec.parentRefs[{index}]"),
                format!("{message} {} `{}`", parent.kind, parent.name),
            );
            break;
        }
    }
}
