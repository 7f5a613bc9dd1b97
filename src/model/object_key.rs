//! Key of an object.

use std::fmt;

use super::meta::{NamespacedName, ObjectMeta};
use super::object_kind::ObjectKind;
use super::scalar::{NamespaceName, ObjectName};

/// Key of an object: kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Kind.
    pub kind: ObjectKind,
    /// Namespace; absent for cluster-scoped kinds.
    pub namespace: Option<NamespaceName>,
    /// Name.
    pub name: ObjectName,
}

impl ObjectKey {
    /// Creates the key of a namespaced object.
    pub fn namespaced(kind: ObjectKind, name: &NamespacedName) -> Self {
        Self { kind, namespace: Some(name.namespace.clone()), name: name.name.clone() }
    }

    /// Returns namespace and name, or `None` if the object is cluster-scoped.
    pub fn namespaced_name(&self) -> Option<NamespacedName> {
        let namespace = self.namespace.clone()?;
        Some(NamespacedName { namespace, name: self.name.clone() })
    }

    /// Returns metadata with this namespace and name.
    pub(super) fn metadata(&self) -> ObjectMeta {
        ObjectMeta { namespace: self.namespace.clone(), ..ObjectMeta::named(self.name.clone()) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
