//! Keys of objects.

use std::fmt;
use std::sync::Arc;

use super::resource::Resource;

/// Key of an object: resource, namespace and name.
///
/// Keys are in the order of lists: by resource, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    resource: Resource,
    /// Empty for a cluster-scoped object.
    namespace: Arc<str>,
    name: Arc<str>,
}

impl Key {
    /// Creates the key of an object in a namespace.
    pub fn namespaced(resource: &Resource, namespace: &str, name: &str) -> Self {
        Self { resource: resource.clone(), namespace: namespace.into(), name: name.into() }
    }

    /// Creates the key of a cluster-scoped object.
    pub fn cluster_scoped(resource: &Resource, name: &str) -> Self {
        Self::namespaced(resource, "", name)
    }

    /// Returns the resource.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Returns the namespace, or `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(&*self.namespace)
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the same key with another name.
    pub(super) fn with_name(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}

impl fmt::Display for Key {
    /// Writes resource, namespace and name: `services default/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.resource)?;
        if let Some(namespace) = self.namespace() {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}
