//! A resource that the API serves: a row of the schema table.

use std::sync::Arc;

use super::node::Schema;
use super::table::Column;

/// Resource that the API serves.
#[derive(Debug)]
pub struct Resource {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) list_kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) short_names: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) verbs: Vec<String>,
    pub(super) is_namespaced: bool,
    pub(super) has_status: bool,
    pub(super) is_custom: bool,
    pub(super) versions: Vec<ServedVersion>,
}

/// Version in which a resource is served.
#[derive(Debug)]
pub struct ServedVersion {
    pub(super) name: String,
    pub(super) schema: Arc<Schema>,
    pub(super) columns: Vec<Column>,
    pub(super) deprecation: Option<String>,
}

impl Resource {
    /// Returns the API group; empty for the core group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Returns the kind, such as `TCPRoute`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the kind of a list, such as `TCPRouteList`.
    pub fn list_kind(&self) -> &str {
        &self.list_kind
    }

    /// Returns the name in paths, such as `tcproutes`.
    pub fn plural(&self) -> &str {
        &self.plural
    }

    /// Returns the singular name, such as `tcproute`.
    pub fn singular(&self) -> &str {
        &self.singular
    }

    /// Returns the abbreviations that kubectl accepts.
    pub fn short_names(&self) -> &[String] {
        &self.short_names
    }

    /// Returns the groups of resources that contain this one, such as `all`.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Returns the verbs of the resource itself, in alphabetical order.
    pub fn verbs(&self) -> &[String] {
        &self.verbs
    }

    /// Returns `true` if the objects are in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.is_namespaced
    }

    /// Returns `true` if the resource has the subresource `status`.
    pub fn has_status(&self) -> bool {
        self.has_status
    }

    /// Returns `true` for a custom resource. It has no strategic merge patch, and its schema
    /// contains all its rules.
    pub fn is_custom(&self) -> bool {
        self.is_custom
    }

    /// Returns `true` if `metadata.generation` counts the changes of an object.
    pub fn has_generation(&self) -> bool {
        self.is_custom || ["Deployment", "EndpointSlice"].contains(&self.kind.as_str())
    }

    /// Returns the group in which the objects are stored. The Events of `events.k8s.io` are those
    /// of the core group, under other names ([`convert_event`](super::convert_event)).
    pub fn storage_group(&self) -> &str {
        if self.kind == "Event" { "" } else { &self.group }
    }

    /// Returns the served versions, the one to prefer first.
    pub fn versions(&self) -> &[ServedVersion] {
        &self.versions
    }

    /// Returns a served version.
    pub fn version(&self, name: &str) -> Option<&ServedVersion> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// Returns the version in which objects are stored. The versions of a resource differ in
    /// `apiVersion` only, so that an object is converted by setting this field.
    pub fn storage_version(&self) -> &ServedVersion {
        &self.versions[0]
    }

    /// Returns the `apiVersion` of objects in a version.
    pub fn api_version(&self, version: &ServedVersion) -> String {
        match self.group.as_str() {
            "" => version.name.clone(),
            group => format!("{group}/{}", version.name),
        }
    }
}

impl ServedVersion {
    /// Returns the name, such as `v1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the schema of the objects.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the warning for requests to a deprecated version.
    pub fn deprecation_warning(&self) -> Option<&str> {
        self.deprecation.as_deref()
    }
}
