//! The metadata that the store reads.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use crate::model::{Labels, Timestamp};

/// Finalizer of an object that is deleted after its dependents.
pub(super) const FOREGROUND_FINALIZER: &str = "foregroundDeletion";

/// Finalizer of an object whose dependents are kept without their reference to it.
pub(super) const ORPHAN_FINALIZER: &str = "orphan";

/// Metadata of an object that the store and selectors use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "null_as_default")]
    pub(super) uid: Arc<str>,
    pub(super) generation: Option<i64>,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "null_as_default")]
    pub(super) labels: Labels,
    #[serde(deserialize_with = "null_as_default")]
    pub(super) owner_references: Vec<OwnerReference>,
    #[serde(deserialize_with = "null_as_default")]
    pub(super) finalizers: Vec<String>,
}

impl Metadata {
    pub(super) fn has_finalizer(&self, name: &str) -> bool {
        self.finalizers.iter().any(|finalizer| finalizer == name)
    }
}

/// Reference to an object that owns another one: the owned object is garbage-collected when it has
/// no owner left.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OwnerReference {
    /// Group and version of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner, in the namespace of the owned object unless the kind is cluster-scoped.
    pub name: String,
    /// Unique ID of the owner.
    pub uid: Arc<str>,
    /// If `true`, a foreground deletion of the owner waits until the owned object is removed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub block_owner_deletion: bool,
}

impl OwnerReference {
    /// Returns the API group of the owner.
    pub(super) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
