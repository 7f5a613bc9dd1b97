//! Namespace: labels that a listener's namespace selector reads.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
use super::scalar::is_dns_label;
use super::validate::Violations;

/// The label that every namespace has, with its own name as the value.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A namespace. One that is not declared is there all the same, with the one label
/// [`NAMESPACE_NAME_LABEL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Name and labels; a Namespace is in no namespace.
    pub metadata: ObjectMeta,
}

impl Namespace {
    pub(crate) fn validate(&self, violations: &mut Violations) {
        let name = self.metadata.name.as_str();
        if !is_dns_label(name) {
            violations.add(
                "metadata.name",
                format!("`{name}` must be 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"),
            );
        }
    }
}
