//! Namespace: labels for the namespace selectors of listeners.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
use super::scalar::is_dns_label;
use super::validate::Violations;

/// Label that every namespace has. Its value is the name of the namespace.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A [namespace](https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/).
///
/// A namespace that is not in the snapshot is treated as one with the single label
/// [`NAMESPACE_NAME_LABEL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Name and labels; a namespace is cluster-scoped.
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
