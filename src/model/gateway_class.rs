//! GatewayClass: which controller serves the Gateways of a class.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
use super::scalar::{GatewayController, Group, KindName, NamespaceName, ObjectName};
use super::status::GatewayClassStatus;
use super::validate::Violations;

/// The controller name of this crate. Classes of this name are served unless the caller or a source
/// sets another one.
pub const SLUICEGATE_CONTROLLER: &str = "sluicegate.dev/gateway-controller";

/// A class of Gateways, served by the controller it names.
///
/// Specification: [GatewayClass](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclass).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayClass {
    /// Name and age; a GatewayClass has no namespace.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GatewayClassSpec,
    /// What controllers have said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<GatewayClassStatus>,
}

/// What a GatewayClass asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassSpec {
    /// The controller that serves this class.
    pub controller_name: GatewayController,
    /// Parameters of the controller's own; this one has none and refuses a class that gives any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<ParametersRef>,
    /// For people; at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A reference to an object with a controller's own parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersRef {
    /// Group of the object.
    pub group: Group,
    /// Kind of the object.
    pub kind: KindName,
    /// Name of the object.
    pub name: ObjectName,
    /// Namespace of the object, where its kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
}

impl GatewayClass {
    /// A class that `controller` serves.
    pub fn new(name: ObjectName, controller: GatewayController) -> Self {
        let spec = GatewayClassSpec {
            controller_name: controller,
            parameters_ref: None,
            description: None,
        };
        Self { metadata: ObjectMeta::named(name), spec, status: None }
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.metadata(&self.metadata);
        if let Some(description) = &self.spec.description {
            violations.length("spec.description", description, 64);
        }
    }
}
