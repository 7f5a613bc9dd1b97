//! GatewayClass: the controller of the Gateways of a class.

use serde::{Deserialize, Serialize};

use super::deserialize::valid_or_default;
use super::meta::ObjectMeta;
use super::scalar::{GatewayController, Group, KindName, NamespaceName, ObjectName};
use super::status::GatewayClassStatus;
use super::validate::Violations;

/// The controller name of this crate. Classes of this name are served unless the caller or a source
/// sets another one.
pub const SLUICEGATE_CONTROLLER: &str = "sluicegate.dev/gateway-controller";

/// A class of Gateways, which are served by the controller that the class names.
///
/// Versions `v1` and `v1beta1` are read as this type; their fields are the same.
///
/// Specification: [GatewayClass](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclass).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayClass {
    /// Name and creation timestamp; a GatewayClass has no namespace.
    pub metadata: ObjectMeta,
    /// The desired state.
    pub spec: GatewayClassSpec,
    /// The status that the controller reported.
    #[serde(
        default,
        deserialize_with = "valid_or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<GatewayClassStatus>,
}

/// Desired state of a GatewayClass.
///
/// Specification:
/// [GatewayClassSpec](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclassspec).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClassSpec {
    /// The controller that serves this class.
    pub controller_name: GatewayController,
    /// Parameters of the controller. This controller supports none and rejects a class that sets
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<ParametersRef>,
    /// Description for people; at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Reference to an object with parameters of a controller.
///
/// Specification:
/// [ParametersReference](https://gateway-api.sigs.k8s.io/reference/spec/#parametersreference).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersRef {
    /// Group of the object.
    pub group: Group,
    /// Kind of the object.
    pub kind: KindName,
    /// Name of the object.
    pub name: ObjectName,
    /// Namespace of the object; absent if its kind is cluster-scoped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
}

impl GatewayClass {
    /// Creates a class that `controller` serves.
    pub fn new(name: ObjectName, controller: GatewayController) -> Self {
        let spec = GatewayClassSpec {
            controller_name: controller,
            parameters_ref: None,
            description: None,
        };
        Self { metadata: ObjectMeta::named(name), spec, status: None }
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.check_metadata(&self.metadata);
        if let Some(description) = &self.spec.description {
            violations.check_length("spec.description", description, 64);
        }
    }
}
