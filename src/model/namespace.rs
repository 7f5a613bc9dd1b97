//! Namespace: labels for the namespace selectors of listeners.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
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
        violations.check_metadata_with_label_name(&self.metadata);
    }
}
