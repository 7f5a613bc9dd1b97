//! The status of each kind that has one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::GatewayStatusAddress;
use super::condition::Condition;
use super::meta::{NamespacedName, null_as_default};
use super::reference::{ParentRef, RouteGroupKind};
use super::scalar::{GatewayController, ObjectName, SectionName};

/// The status of every object that gets one.
///
/// A route's entry is its whole `status.parents`: entries of other controllers are kept as they
/// were, entries of this controller that no longer hold are removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusReport {
    /// By class name.
    pub gateway_classes: BTreeMap<ObjectName, GatewayClassStatus>,
    /// By Gateway.
    pub gateways: BTreeMap<NamespacedName, GatewayStatus>,
    /// By route.
    pub tcp_routes: BTreeMap<NamespacedName, RouteStatus>,
}

/// What is said of a GatewayClass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassStatus {
    /// Accepted.
    #[serde(default, deserialize_with = "null_as_default")]
    pub conditions: Vec<Condition>,
    /// What the controller can do, sorted by name.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub supported_features: Vec<SupportedFeature>,
}

/// A feature of Gateway API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FeatureForm")]
pub struct SupportedFeature {
    /// The feature's name.
    pub name: String,
}

/// Before Gateway API 1.1 a feature was written as a plain name.
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

/// What is said of a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// The addresses at which it can be dialled; at most 16.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addresses: Vec<GatewayStatusAddress>,
    /// Accepted and Programmed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub conditions: Vec<Condition>,
    /// One entry for each listener of the spec, in its order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub listeners: Vec<ListenerStatus>,
}

/// What is said of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// The listener's name.
    pub name: SectionName,
    /// The kinds of route it can take; empty where the listener is not accepted.
    #[serde(default, deserialize_with = "null_as_default")]
    pub supported_kinds: Vec<RouteGroupKind>,
    /// How many accepted routes select the listener and are allowed by it.
    #[serde(default)]
    pub attached_routes: i32,
    /// Accepted, Programmed, ResolvedRefs; Conflicted only where it holds.
    #[serde(default, deserialize_with = "null_as_default")]
    pub conditions: Vec<Condition>,
}

/// What is said of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// One entry for each parent whose controller has looked at the route; at most 32.
    #[serde(default, deserialize_with = "null_as_default")]
    pub parents: Vec<RouteParentStatus>,
}

/// What one parent's controller says of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteParentStatus {
    /// The reference, as the route spells it.
    pub parent_ref: ParentRef,
    /// Whose word this is.
    pub controller_name: GatewayController,
    /// Accepted and ResolvedRefs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub conditions: Vec<Condition>,
}
