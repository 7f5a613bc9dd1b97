//! Infrastructure of a Gateway: labels, annotations and parameters of what is created for it.

use serde::{Deserialize, Serialize};

use super::meta::{Labels, null_as_default};
use super::scalar::{Group, KindName, ObjectName, is_dns_subdomain};
use super::validate::Violations;

/// Metadata and parameters for the objects that an implementation creates for a Gateway.
///
/// Specification:
/// [GatewayInfrastructure](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInfrastructure {
    /// Labels of the objects; at most 8.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub labels: Labels,
    /// Annotations of the objects; at most 16.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
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
        for (key, value) in &self.labels {
            validate_key("labels", key, violations);
            if !is_label_value(value) {
                violations.add(
                    format!("spec.infrastructure.labels.{key}"),
                    format!("`{value}` must be at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"),
                );
            }
        }
        for (key, value) in &self.annotations {
            validate_key("annotations", key, violations);
            violations.check_length(&format!("spec.infrastructure.annotations.{key}"), value, 4096);
        }
    }
}

fn validate_key(map: &str, key: &str, violations: &mut Violations) {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_ok = prefix.is_none_or(|prefix| prefix.len() < 253 && is_dns_subdomain(prefix));
    if !prefix_ok || name.is_empty() || !is_label_value(name) {
        violations.add(
            format!("spec.infrastructure.{map}"),
            format!("key `{key}` must be a name of at most 63 letters, digits, '-', '_' and '.', optionally after a DNS subdomain and '/'"),
        );
    }
}

fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    bytes.len() <= 63
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
