//! Objects of kinds that this crate does not serve, with references to objects that it serves.

use std::fmt;

use super::meta::NamespacedName;
use super::object_key::ObjectKey;
use super::scalar::{Group, KindName};

/// Key of an object whose kind is not served: group, kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct UnservedKey {
    /// API group; empty for the core group.
    pub group: Group,
    /// Kind.
    pub kind: KindName,
    /// Namespace and name.
    pub name: NamespacedName,
}

/// An object of a kind that is not served, such as an HTTPRoute. Of its content, only the
/// references are known.
///
/// Such an object has no effect. [`Resources`](super::Resources) contains it so that translation
/// can report it to its author, who expects an effect on the objects that it refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnservedObject {
    /// The objects that it refers to: the Gateways of a route, the targets of a policy, or the
    /// Service of an Endpoints object.
    pub references: Vec<ObjectKey>,
}

impl UnservedKey {
    /// Creates the key of an object of this group and kind.
    pub fn new(group: Group, kind: KindName, name: NamespacedName) -> Self {
        Self { group, kind, name }
    }

    /// Returns `true` for Endpoints, the predecessor of EndpointSlice.
    pub(crate) fn is_endpoints(&self) -> bool {
        self.group.as_str().is_empty() && self.kind == "Endpoints"
    }
}

impl UnservedObject {
    /// Creates an object with these references.
    pub fn new(references: Vec<ObjectKey>) -> Self {
        Self { references }
    }
}

impl fmt::Display for UnservedKey {
    /// Writes the group too: other groups have kinds of the same names as those that are served.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.as_str().is_empty() {
            write!(f, "{} ", self.group)?;
        }
        write!(f, "{} {}", self.kind, self.name)
    }
}
