//! TCPRoute: weighted backends for the connections of TCP listeners.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::deserialize::{null_as_default, valid_or_default};
use super::meta::ObjectMeta;
use super::reference::{BackendRef, ParentRef};
use super::scalar::SectionName;
use super::status::RouteStatus;
use super::validate::Violations;

const MAX_PARENT_REFS: usize = 32;

/// A route from TCP listeners to weighted backends.
///
/// The canonical version is `v1`. Version `v1alpha2` is read as this type; it allows more rules.
///
/// Specification: [TCPRoute](https://gateway-api.sigs.k8s.io/reference/spec/#tcproute).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpRoute {
    /// Name, namespace and creation timestamp.
    pub metadata: ObjectMeta,
    /// The desired state.
    pub spec: TcpRouteSpec,
    /// The status that controllers reported.
    #[serde(
        default,
        deserialize_with = "valid_or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<RouteStatus>,
}

/// Desired state of a TCPRoute.
///
/// Specification: [TCPRouteSpec](https://gateway-api.sigs.k8s.io/reference/spec/#tcproutespec).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteSpec {
    /// The parents to which the route requests to attach; at most 32.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentRef>,
    /// Scope of the default Gateways to which the route attaches; experimental in Gateway API,
    /// read, but not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<String>,
    /// The rules: exactly one in `v1`, up to 16 in `v1alpha2`. A rule of a TCPRoute has no match,
    /// so only the first rule is used.
    pub rules: Vec<TcpRouteRule>,
}

/// Rule of a TCPRoute: the backends of its connections.
///
/// Specification: [TCPRouteRule](https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteRule {
    /// Name, to which policies can refer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SectionName>,
    /// The backends, which share the connections by weight; 1 to 16.
    pub backend_refs: Vec<BackendRef>,
}

impl TcpRoute {
    /// Creates a route from these parents to these backends.
    pub fn new(metadata: ObjectMeta, parents: Vec<ParentRef>, backends: Vec<BackendRef>) -> Self {
        let spec = TcpRouteSpec {
            parent_refs: parents,
            use_default_gateways: None,
            rules: vec![TcpRouteRule { name: None, backend_refs: backends }],
        };
        Self { metadata, spec, status: None }
    }

    /// Returns the rule that is used: the first one.
    pub fn rule(&self) -> Option<&TcpRouteRule> {
        self.spec.rules.first()
    }

    /// Checks the route. `max_rules` is 1 in `v1` and 16 in `v1alpha2`.
    pub(crate) fn validate(&self, max_rules: usize, violations: &mut Violations) {
        violations.check_metadata(&self.metadata);
        let parent_refs = &self.spec.parent_refs;
        violations.check_count("spec.parentRefs", parent_refs.len(), 0, MAX_PARENT_REFS);
        // Every pair is compared, so references beyond the limit would take quadratic time.
        validate_parent_refs(&parent_refs[..parent_refs.len().min(MAX_PARENT_REFS)], violations);
        let scope = self.spec.use_default_gateways.as_deref();
        violations.check_enum("spec.useDefaultGateways", scope, &["All", "None"]);
        violations.check_count("spec.rules", self.spec.rules.len(), 1, max_rules);
        let mut names = BTreeSet::new();
        for (index, rule) in self.spec.rules.iter().enumerate() {
            let path = format!("spec.rules[{index}]");
            if let Some(name) = &rule.name
                && !names.insert(name)
            {
                violations.add_duplicate(
                    format!("{path}.name"),
                    format!("`{name}` is the name of an earlier rule; names must be unique"),
                );
            }
            violations.check_count(&format!("{path}.backendRefs"), rule.backend_refs.len(), 1, 16);
            for (index, backend) in rule.backend_refs.iter().enumerate() {
                if backend.is_service() && backend.port.is_none() {
                    violations.add_required(
                        format!("{path}.backendRefs[{index}].port"),
                        format!(
                            "is missing; a reference to a Service must specify a port of `{}`",
                            backend.name
                        ),
                    );
                }
            }
        }
    }
}

/// Checks several references to one parent.
///
/// The rules of the two channels of Gateway API differ. A route is refused if both channels refuse
/// it, since the channel that a cluster has is unknown:
///
/// - the standard channel requires all references to set sectionName or none, and each sectionName
///   to be different;
/// - the experimental channel requires all references to set the same of sectionName and port, and
///   each combination of the two to be different.
fn validate_parent_refs(parent_refs: &[ParentRef], violations: &mut Violations) {
    let mut found = Vec::new();
    let (mut refused_by_standard, mut refused_by_experimental) = (false, false);
    for (index, parent) in parent_refs.iter().enumerate() {
        // As in the CEL rules of the CRD, an absent namespace differs from the explicit one of the
        // route.
        let same_parent = |other: &&ParentRef| {
            (&other.group, &other.kind, &other.namespace, &other.name)
                == (&parent.group, &parent.kind, &parent.namespace, &parent.name)
        };
        for earlier in parent_refs[..index].iter().filter(same_parent) {
            let same_section = earlier.section_name == parent.section_name;
            let uneven_section = earlier.section_name.is_some() != parent.section_name.is_some();
            let uneven_port = earlier.port.is_some() != parent.port.is_some();
            let standard = uneven_section || same_section;
            let experimental =
                uneven_section || uneven_port || (same_section && earlier.port == parent.port);
            refused_by_standard |= standard;
            refused_by_experimental |= experimental;
            if !standard && !experimental {
                continue;
            }
            let others = format!("the other references to {} `{}`", parent.kind, parent.name);
            let message = if uneven_section || uneven_port {
                format!("must set sectionName and port exactly if {others} set them")
            } else {
                format!("must differ in sectionName or port from {others}")
            };
            found.push((index, message, standard && experimental));
            break;
        }
    }
    if !(refused_by_standard && refused_by_experimental) {
        return;
    }
    let has_pair = found.iter().any(|(_, _, by_both)| *by_both);
    for (index, message, by_both) in found {
        // If no pair of references breaks the rules of both channels, each broken rule is reported.
        if by_both || !has_pair {
            violations.add(format!("spec.parentRefs[{index}]"), message);
        }
    }
}
