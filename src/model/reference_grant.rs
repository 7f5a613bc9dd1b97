//! ReferenceGrant: who may refer into a namespace from outside.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;
use super::scalar::{Group, KindName, NamespaceName, ObjectName};
use super::validate::Violations;

/// Leave for references from other namespaces to objects of this one.
///
/// Read in versions `v1` and `v1beta1`, which are alike.
/// Specification: [ReferenceGrant](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrant {
    /// Name and namespace; the namespace is that of the objects referred to.
    pub metadata: ObjectMeta,
    /// Who may refer to what.
    pub spec: ReferenceGrantSpec,
}

/// Any of `from` may refer to any of `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantSpec {
    /// Who may refer; 1 to 16.
    pub from: Vec<ReferenceGrantFrom>,
    /// To what; 1 to 16.
    pub to: Vec<ReferenceGrantTo>,
}

/// Objects of one kind in one namespace that may refer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantFrom {
    /// Group of the referrers.
    pub group: Group,
    /// Kind of the referrers.
    pub kind: KindName,
    /// Namespace of the referrers.
    pub namespace: NamespaceName,
}

/// Objects of one kind, or one of them, that may be referred to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrantTo {
    /// Group of the objects; the core group is the empty text.
    pub group: Group,
    /// Kind of the objects.
    pub kind: KindName,
    /// The one object meant; absent means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ObjectName>,
}

impl ReferenceGrant {
    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.metadata(&self.metadata);
        violations.count("spec.from", self.spec.from.len(), 1, 16);
        violations.count("spec.to", self.spec.to.len(), 1, 16);
    }
}
