//! Lookup tables over a snapshot, built once per translation.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::{
    EndpointSlice, Labels, NAMESPACE_NAME_LABEL, NamespaceName, NamespacedName, ReferenceGrant,
    Resources, Service,
};

/// Lookup tables over a snapshot.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) resources: &'a Resources,
    services: HashMap<(&'a str, &'a str), ServiceEntry<'a>>,
    grants: HashMap<&'a str, Vec<&'a ReferenceGrant>>,
    namespaces: HashMap<&'a str, Labels>,
}

/// A Service and the EndpointSlices that belong to it.
#[derive(Debug)]
pub(super) struct ServiceEntry<'a> {
    pub(super) service: &'a Service,
    pub(super) slices: Vec<&'a EndpointSlice>,
    /// `true` if the Service has a legacy Endpoints object, which is not read.
    pub(super) has_legacy_endpoints: bool,
}

impl<'a> Index<'a> {
    pub(super) fn new(resources: &'a Resources) -> Self {
        let mut services: HashMap<_, _> = resources
            .services
            .iter()
            .map(|(key, service)| {
                let entry =
                    ServiceEntry { service, slices: Vec::new(), has_legacy_endpoints: false };
                ((key.namespace.as_str(), key.name.as_str()), entry)
            })
            .collect();
        for (key, slice) in &resources.endpoint_slices {
            let service = slice.service_name();
            if let Some(entry) =
                service.and_then(|name| services.get_mut(&(key.namespace.as_str(), name)))
            {
                entry.slices.push(&**slice);
            }
        }
        for key in resources.unserved.keys().filter(|key| key.is_endpoints()) {
            let name = (key.name.namespace.as_str(), key.name.name.as_str());
            if let Some(entry) = services.get_mut(&name) {
                entry.has_legacy_endpoints = true;
            }
        }
        let mut grants = HashMap::<_, Vec<_>>::new();
        for (key, grant) in &resources.reference_grants {
            grants.entry(key.namespace.as_str()).or_default().push(&**grant);
        }
        let namespaces = resources
            .namespaces
            .iter()
            .map(|(name, namespace)| {
                (name.as_str(), with_own_name(name.as_str(), namespace.metadata.labels.clone()))
            })
            .collect();
        Self { resources, services, grants, namespaces }
    }

    /// Returns the Service of this name.
    pub(super) fn service<'s>(&'s self, name: &'s NamespacedName) -> Option<&'s ServiceEntry<'a>> {
        self.services.get(&(name.namespace.as_str(), name.name.as_str()))
    }

    /// Returns the ReferenceGrants of a namespace.
    pub(super) fn grants(&self, namespace: &NamespaceName) -> &[&'a ReferenceGrant] {
        self.grants.get(namespace.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Returns the labels of a namespace. A namespace without an object has its name as a label.
    pub(super) fn namespace_labels(&self, namespace: &NamespaceName) -> Cow<'_, Labels> {
        self.namespaces.get(namespace.as_str()).map_or_else(
            || Cow::Owned(with_own_name(namespace.as_str(), Labels::new())),
            Cow::Borrowed,
        )
    }
}

/// Adds the label with the namespace's name, which the API server sets on every namespace.
fn with_own_name(name: &str, mut labels: Labels) -> Labels {
    labels.insert(NAMESPACE_NAME_LABEL.to_owned(), name.to_owned());
    labels
}
