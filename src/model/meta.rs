//! What every object carries: its name, its age, its labels.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scalar::{InvalidScalar, NamespaceName, ObjectName};

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// The metadata of an object, as far as routing is concerned.
///
/// Fields that only an API server needs (`managedFields` and such) are skipped when read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// Unique among the objects of its kind in its namespace.
    pub name: ObjectName,
    /// Absent for cluster-scoped kinds; for the others absent means `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Grows with each change of the spec; a condition says which one it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When the object was made. Age decides between routes, and between Gateways, that want the
    /// same thing; an object without a timestamp counts as the youngest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// Read by selectors.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub labels: Labels,
    /// Carried along, not interpreted.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub annotations: Labels,
    /// Tells the object from others that had its name before; an API server gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Arc<str>>,
    /// The objects with which this one goes.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
}

/// An object with which another one goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerReference {
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// The owner's `uid`, which alone tells it for certain.
    pub uid: Arc<str>,
}

impl ObjectMeta {
    /// Metadata with a name alone: for a cluster-scoped object, or one in namespace `default`.
    pub fn named(name: ObjectName) -> Self {
        Self {
            name,
            namespace: None,
            generation: None,
            creation_timestamp: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            uid: None,
            owner_references: Vec::new(),
        }
    }

    /// Whether the object goes with the one that has this metadata.
    pub fn is_owned_by(&self, owner: &Self) -> bool {
        let uid = owner.uid.as_ref();
        uid.is_some_and(|uid| self.owner_references.iter().any(|reference| reference.uid == *uid))
    }

    /// The namespace, `default` where none is given.
    pub fn namespace(&self) -> NamespaceName {
        self.namespace.clone().unwrap_or_else(default_namespace)
    }

    /// Namespace and name.
    pub fn namespaced_name(&self) -> NamespacedName {
        NamespacedName { namespace: self.namespace(), name: self.name.clone() }
    }
}

/// The namespace of objects that do not say one.
pub fn default_namespace() -> NamespaceName {
    NamespaceName::new("default").expect("a DNS label")
}

/// An object's name with its namespace; written `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: NamespaceName,
    /// The name in it.
    pub name: ObjectName,
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for NamespacedName {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        // A reference may hold a name with a slash, but no object has one.
        let parts = text.split_once('/').filter(|(_, name)| !name.contains('/'));
        let (namespace, name) = parts.ok_or_else(|| InvalidScalar {
            found: text.to_owned(),
            expected: "a name with its namespace, as in default/web",
        })?;
        Ok(Self { namespace: namespace.parse()?, name: name.parse()? })
    }
}

impl Serialize for NamespacedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes an explicit `null` for the default, as the API server does.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_its_namespace_is_read_as_it_is_written() {
        let name: NamespacedName = "infra/edge".parse().unwrap();
        assert_eq!((name.namespace.as_str(), name.name.as_str()), ("infra", "edge"));
        assert_eq!(name.to_string(), "infra/edge");
        for bad in ["edge", "/edge", "infra/", "Infra/edge", "a/b/c"] {
            assert!(bad.parse::<NamespacedName>().is_err(), "{bad}");
        }
    }
}
