//! Status of each kind that has one.
//!
//! Several controllers write a status. An entry that this crate cannot read is left out, and never
//! makes an object invalid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::GatewayStatusAddress;
use super::condition::Condition;
use super::deserialize::{valid_entries, valid_or_default};
use super::meta::NamespacedName;
use super::reference::{ParentRef, RouteGroupKind};
use super::scalar::{GatewayController, ObjectName, SectionName};

/// Status of every object that has one: a result of translation.
///
/// The entry of a route is its whole `status.parents`: the entries of other controllers are
/// unchanged, and outdated entries of this controller are removed.
///
/// Translation leaves `last_transition_time` absent. The report of a gateway contains it for every
/// condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusReport {
    /// Status of GatewayClasses.
    pub gateway_classes: BTreeMap<ObjectName, GatewayClassStatus>,
    /// Status of Gateways.
    pub gateways: BTreeMap<NamespacedName, GatewayStatus>,
    /// Status of TCPRoutes.
    pub tcp_routes: BTreeMap<NamespacedName, RouteStatus>,
}

#[cfg(test)]
impl StatusReport {
    /// Creates the status of a class `c`, a Gateway `g` with a listener `l`, and a route `r` at the
    /// Gateway, each with this condition.
    pub(crate) fn example(condition: Condition) -> Self {
        let conditions = vec![condition];
        let class = GatewayClassStatus { conditions: conditions.clone(), ..Default::default() };
        let listener = ListenerStatus {
            name: "l".parse().unwrap(),
            supported_kinds: Vec::new(),
            attached_routes: 0,
            conditions: conditions.clone(),
        };
        let gateway = GatewayStatus {
            conditions: conditions.clone(),
            listeners: vec![listener],
            ..Default::default()
        };
        let parent = RouteParentStatus {
            parent_ref: ParentRef::gateway("g".parse().unwrap()),
            controller_name: "example.com/c".parse().unwrap(),
            conditions,
        };
        let mut report = Self::default();
        report.gateway_classes.insert("c".parse().unwrap(), class);
        report.gateways.insert("default/g".parse().unwrap(), gateway);
        let route = RouteStatus { parents: vec![parent] };
        report.tcp_routes.insert("default/r".parse().unwrap(), route);
        report
    }
}

/// Status of a GatewayClass.
///
/// Specification: [GatewayClassStatus][spec].
///
/// [spec]: https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclassstatus
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassStatus {
    /// The condition `Accepted`, and `SupportedVersion` if it is known.
    #[serde(default, deserialize_with = "valid_entries")]
    pub conditions: Vec<Condition>,
    /// The features that the controller supports, sorted by name.
    #[serde(default, deserialize_with = "valid_entries", skip_serializing_if = "Vec::is_empty")]
    pub supported_features: Vec<SupportedFeature>,
}

/// Feature of Gateway API that a controller supports.
///
/// Specification:
/// [SupportedFeature](https://gateway-api.sigs.k8s.io/reference/spec/#supportedfeature).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FeatureForm")]
pub struct SupportedFeature {
    /// Name of the feature.
    pub name: String,
}

/// Representation of a feature. Before Gateway API 1.1 it was a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum FeatureForm {
    Object { name: String },
    Name(String),
}

impl From<FeatureForm> for SupportedFeature {
    fn from(form: FeatureForm) -> Self {
        match form {
            FeatureForm::Object { name } | FeatureForm::Name(name) => Self { name },
        }
    }
}

/// Status of a Gateway.
///
/// Specification: [GatewayStatus](https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatus).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// The addresses at which clients can dial the Gateway; at most 16.
    #[serde(default, deserialize_with = "valid_entries")]
    pub addresses: Vec<GatewayStatusAddress>,
    /// The conditions `Accepted` and `Programmed`.
    #[serde(default, deserialize_with = "valid_entries")]
    pub conditions: Vec<Condition>,
    /// Status of each listener, in the order of the spec.
    #[serde(default, deserialize_with = "valid_entries")]
    pub listeners: Vec<ListenerStatus>,
}

/// Status of a listener.
///
/// Specification: [ListenerStatus](https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// Name of the listener.
    pub name: SectionName,
    /// The kinds of routes that can attach; empty if the listener is not accepted.
    #[serde(default, deserialize_with = "valid_entries")]
    pub supported_kinds: Vec<RouteGroupKind>,
    /// Number of the routes that are accepted and attached to the listener.
    #[serde(default, deserialize_with = "valid_or_default")]
    pub attached_routes: i32,
    /// The conditions `Accepted`, `Programmed` and `ResolvedRefs`, and `Conflicted` if it is
    /// `True`.
    #[serde(default, deserialize_with = "valid_entries")]
    pub conditions: Vec<Condition>,
}

/// Status of a route.
///
/// Specification: [RouteStatus](https://gateway-api.sigs.k8s.io/reference/spec/#routestatus).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// Status at each parent, from the controller of the parent; at most 32.
    #[serde(default, deserialize_with = "valid_entries")]
    pub parents: Vec<RouteParentStatus>,
}

/// Status of a route at one parent.
///
/// Specification:
/// [RouteParentStatus](https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteParentStatus {
    /// The reference, as the route contains it.
    pub parent_ref: ParentRef,
    /// The controller that reported the entry.
    pub controller_name: GatewayController,
    /// The conditions `Accepted` and `ResolvedRefs`.
    #[serde(default, deserialize_with = "valid_entries")]
    pub conditions: Vec<Condition>,
}
