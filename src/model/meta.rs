//! Metadata of objects: name, creation timestamp, labels and owners.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::deserialize::{empty_as_none, labels};
use super::labels::Labels;
use super::scalar::{InvalidScalar, NamespaceName, ObjectName};

/// Metadata of an object, as far as routing uses it.
///
/// Reading ignores the other fields, such as `managedFields`.
///
/// Specification: [ObjectMeta][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// Name, unique among the objects of the kind in the namespace.
    pub name: ObjectName,
    /// Namespace; absent for cluster-scoped kinds, `default` if it is absent or empty for other
    /// kinds.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Generation, which increases with each change of the spec. A condition contains the
    /// generation that it describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Creation timestamp. Of two routes or Gateways in conflict, the older one has precedence; an
    /// object without a timestamp counts as the youngest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// Labels, which selectors match.
    #[serde(default, deserialize_with = "labels", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Annotations; read, but not used.
    #[serde(default, deserialize_with = "labels", skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Unique ID, set by an API server. It differs from that of an earlier object of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Arc<str>>,
}

impl ObjectMeta {
    /// Creates metadata with a name: for a cluster-scoped object, or one in namespace `default`.
    pub fn named(name: ObjectName) -> Self {
        Self {
            name,
            namespace: None,
            generation: None,
            creation_timestamp: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            uid: None,
        }
    }

    /// Returns the namespace, or `default` if it is absent.
    pub fn namespace(&self) -> NamespaceName {
        self.namespace.clone().unwrap_or_else(default_namespace)
    }

    /// Returns namespace and name.
    pub fn namespaced_name(&self) -> NamespacedName {
        NamespacedName { namespace: self.namespace(), name: self.name.clone() }
    }
}

/// Returns the namespace of namespaced objects whose metadata has none: `default`.
pub fn default_namespace() -> NamespaceName {
    NamespaceName::new("default").expect("a DNS label")
}

/// Name of an object with its namespace, as text `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespacedName {
    /// Namespace.
    pub namespace: NamespaceName,
    /// Name in the namespace.
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
        // `ObjectName` allows a slash, since the CRDs do in references. No object has such a name.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaced_name_is_parsed_and_displayed() {
        let name: NamespacedName = "infra/edge".parse().unwrap();
        assert_eq!((name.namespace.as_str(), name.name.as_str()), ("infra", "edge"));
        assert_eq!(name.to_string(), "infra/edge");
        for bad in ["edge", "/edge", "infra/", "Infra/edge", "a/b/c"] {
            assert!(bad.parse::<NamespacedName>().is_err(), "{bad}");
        }
    }
}
