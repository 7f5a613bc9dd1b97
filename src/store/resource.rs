//! Resources of a store, with the rules for their objects.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Rules for the objects of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRules {
    group: String,
    plural: String,
    kind: String,
    is_namespaced: bool,
    has_status: bool,
    has_generation: bool,
    time_to_live: Option<TimeToLive>,
}

/// Time for which objects are kept after their last use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeToLive {
    pub(super) duration: Duration,
    /// JSON pointers to the fields with the times of use.
    pub(super) used_at: &'static [&'static str],
}

impl ResourceRules {
    /// Creates the rules of a namespaced resource, without a status subresource and without
    /// generations. The core group is the empty string.
    pub fn namespaced(group: &str, plural: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            is_namespaced: true,
            has_status: false,
            has_generation: false,
            time_to_live: None,
        }
    }

    /// Creates the rules of a cluster-scoped resource, without a status subresource and without
    /// generations.
    pub fn cluster_scoped(group: &str, plural: &str, kind: &str) -> Self {
        Self { is_namespaced: false, ..Self::namespaced(group, plural, kind) }
    }

    /// Adds a status subresource: creating and replacing an object do not change its `status`.
    #[must_use]
    pub fn with_status(self) -> Self {
        Self { has_status: true, ..self }
    }

    /// Adds generations: `metadata.generation` is 1 at first, and grows if a change is in more than
    /// `metadata` and `status`, and when a deletion begins.
    #[must_use]
    pub fn with_generation(self) -> Self {
        Self { has_generation: true, ..self }
    }

    /// Adds a time to live: the store deletes an object when `duration` has passed since its last
    /// use. That is the latest of its creation and the times in the fields `used_at`, which are
    /// JSON pointers. A time in the future counts as the time of the write.
    #[must_use]
    pub fn with_time_to_live(self, duration: Duration, used_at: &'static [&'static str]) -> Self {
        Self { time_to_live: Some(TimeToLive { duration, used_at }), ..self }
    }
}

/// A resource of a [`Catalog`]: a pointer to its rules, cheap to clone.
#[derive(Clone)]
pub struct Resource(Arc<ResourceRules>);

impl Resource {
    /// Returns the API group; the core group is the empty string.
    pub fn group(&self) -> &str {
        &self.0.group
    }

    /// Returns the plural name, as in URLs.
    pub fn plural(&self) -> &str {
        &self.0.plural
    }

    /// Returns the kind.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Returns `true` if the objects are in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.0.is_namespaced
    }

    /// Returns `true` if the objects have a status subresource.
    pub fn has_status(&self) -> bool {
        self.0.has_status
    }

    /// Returns `true` if the objects have generations.
    pub fn has_generation(&self) -> bool {
        self.0.has_generation
    }

    /// Returns the time to live of the objects, if they have one.
    pub(super) fn time_to_live(&self) -> Option<&TimeToLive> {
        self.0.time_to_live.as_ref()
    }

    /// Returns `true` for the resource of namespaces.
    pub(super) fn is_namespaces(&self) -> bool {
        self.names() == ("", "namespaces")
    }

    fn names(&self) -> (&str, &str) {
        (self.group(), self.plural())
    }
}

impl fmt::Display for Resource {
    /// Writes the name as in Kubernetes: `gateways.gateway.networking.k8s.io`, or `services`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plural())?;
        if self.group().is_empty() { Ok(()) } else { write!(f, ".{}", self.group()) }
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({self})")
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Resource {}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Resource {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.names().cmp(&other.names())
    }
}

/// The resources that a store serves. The resource `namespaces` is always one of them.
///
/// ```
/// use sluicegate::store::{Catalog, ResourceRules};
///
/// let mut catalog = Catalog::new();
/// let secrets = catalog.add(ResourceRules::namespaced("", "secrets", "Secret"));
/// assert_eq!(secrets.to_string(), "secrets");
/// assert_eq!(catalog.get("", "secrets"), Some(&secrets));
/// assert!(!catalog.namespaces().is_namespaced());
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    namespaces: Resource,
    resources: BTreeMap<(String, String), Resource>,
}

impl Catalog {
    /// Creates a catalog with the resource `namespaces` only.
    pub fn new() -> Self {
        let rules = ResourceRules::cluster_scoped("", "namespaces", "Namespace").with_status();
        let namespaces = Resource(Arc::new(rules));
        let mut catalog = Self { namespaces: namespaces.clone(), resources: BTreeMap::new() };
        catalog.resources.insert((String::new(), "namespaces".to_owned()), namespaces);
        catalog
    }

    /// Adds a resource, or returns the one that has the group and the plural name already.
    ///
    /// # Panics
    /// If the group or the plural name contains a slash, or the plural name is empty.
    pub fn add(&mut self, rules: ResourceRules) -> Resource {
        let names = [&rules.group, &rules.plural, &rules.kind];
        let is_valid = !rules.plural.is_empty() && !names.iter().any(|name| name.contains('/'));
        assert!(is_valid, "{rules:?}: group and plural must be segments of a path");
        let names = (rules.group.clone(), rules.plural.clone());
        self.resources.entry(names).or_insert_with(|| Resource(Arc::new(rules))).clone()
    }

    /// Returns the resource with this group and plural name.
    pub fn get(&self, group: &str, plural: &str) -> Option<&Resource> {
        self.resources.values().find(|resource| resource.names() == (group, plural))
    }

    /// Returns all resources.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// Returns the resource `namespaces`.
    pub fn namespaces(&self) -> &Resource {
        &self.namespaces
    }

    /// Returns the resource that has this kind.
    pub(super) fn with_kind(&self, group: &str, kind: &str) -> Option<&Resource> {
        self.resources
            .values()
            .find(|resource| resource.group() == group && resource.kind() == kind)
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new()
    }
}
