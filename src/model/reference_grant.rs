//! ReferenceGrant: permission for references from other namespaces.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
use super::scalar::{Group, KindName, NamespaceName, ObjectName};
use super::validate::Violations;

/// Permission for cross-namespace references into this namespace.
///
/// Versions `v1` and `v1beta1` are read as this type; their fields are the same.
///
/// Specification: [ReferenceGrant](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrant {
    /// Name and namespace; the namespace is that of the referenced objects.
    pub metadata: ObjectMeta,
    /// The permitted references.
    pub spec: ReferenceGrantSpec,
}

/// Permitted references: every object in `from` may refer to every object in `to`.
///
/// Specification:
/// [ReferenceGrantSpec](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantspec).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantSpec {
    /// The referring objects; 1 to 16.
    pub from: Vec<ReferenceGrantFrom>,
    /// The referenced objects; 1 to 16.
    pub to: Vec<ReferenceGrantTo>,
}

/// Referring objects: those of one kind in one namespace.
///
/// Specification:
/// [ReferenceGrantFrom](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantfrom).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantFrom {
    /// Group of the objects.
    pub group: Group,
    /// Kind of the objects.
    pub kind: KindName,
    /// Namespace of the objects.
    pub namespace: NamespaceName,
}

/// Referenced objects: one object, or all objects of one kind.
///
/// Specification:
/// [ReferenceGrantTo](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantto).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantTo {
    /// Group of the objects; empty for the core group.
    pub group: Group,
    /// Kind of the objects.
    pub kind: KindName,
    /// Name of the one object; all objects of the kind if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ObjectName>,
}

impl ReferenceGrant {
    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.check_metadata(&self.metadata);
        violations.check_count("spec.from", self.spec.from.len(), 1, 16);
        violations.check_count("spec.to", self.spec.to.len(), 1, 16);
    }
}
