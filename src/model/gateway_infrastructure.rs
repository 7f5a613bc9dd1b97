//! Infrastructure of a Gateway: labels, annotations and parameters of what is created for it.

use serde::{Deserialize, Serialize};

use super::deserialize::texts;
use super::labels::{Labels, MAX_PREFIX};
use super::scalar::{Group, KindName, ObjectName};
use super::validate::Violations;

/// Metadata and parameters for the objects that an implementation creates for a Gateway.
///
/// Specification:
/// [GatewayInfrastructure](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInfrastructure {
    /// Labels of the objects; at most 8.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Annotations of the objects; at most 16.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Parameters of the implementation. This controller supports none and rejects a Gateway that
    /// sets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<LocalParametersRef>,
}

/// Reference to parameters in the namespace of the Gateway.
///
/// Specification: [LocalParametersReference][spec].
///
/// [spec]: https://gateway-api.sigs.k8s.io/reference/spec/#localparametersreference
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalParametersRef {
    /// Group of the object.
    pub group: Group,
    /// Kind of the object.
    pub kind: KindName,
    /// Name of the object.
    pub name: ObjectName,
}

impl GatewayInfrastructure {
    pub(super) fn validate(&self, violations: &mut Violations) {
        violations.check_count("spec.infrastructure.labels", self.labels.len(), 0, 8);
        violations.check_count("spec.infrastructure.annotations", self.annotations.len(), 0, 16);
        // Unlike in metadata, a prefix of 253 characters is too long.
        let max_prefix = MAX_PREFIX - 1;
        violations.check_labels("spec.infrastructure.labels", &self.labels, max_prefix);
        for (key, value) in &self.annotations {
            violations.check_label_key("spec.infrastructure.annotations", key, key, max_prefix);
            violations.check_length(&format!("spec.infrastructure.annotations.{key}"), value, 4096);
        }
    }
}
