//! Borrowed lookups over a snapshot, made once per translation.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::{
    EndpointSlice, Labels, NAMESPACE_NAME_LABEL, NamespaceName, ObjectName, ReferenceGrant,
    Resources,
};

pub(super) struct Index<'a> {
    pub(super) resources: &'a Resources,
    slices: HashMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>,
    grants: HashMap<&'a str, Vec<&'a ReferenceGrant>>,
    namespaces: HashMap<&'a str, Labels>,
}

impl<'a> Index<'a> {
    pub(super) fn new(resources: &'a Resources) -> Self {
        let mut slices = HashMap::<_, Vec<_>>::with_capacity(resources.endpoint_slices.len());
        for (key, slice) in &resources.endpoint_slices {
            if let Some(service) = slice.service_name() {
                slices.entry((key.namespace.as_str(), service)).or_default().push(&**slice);
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
        Self { resources, slices, grants, namespaces }
    }

    /// The EndpointSlices of a Service.
    pub(super) fn slices<'s>(
        &'s self,
        namespace: &'s NamespaceName,
        service: &'s ObjectName,
    ) -> &'s [&'a EndpointSlice] {
        self.slices.get(&(namespace.as_str(), service.as_str())).map_or(&[], Vec::as_slice)
    }

    /// The ReferenceGrants that live in a namespace.
    pub(super) fn grants(&self, namespace: &NamespaceName) -> &[&'a ReferenceGrant] {
        self.grants.get(namespace.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The labels of a namespace, whether it is declared or only implied.
    pub(super) fn namespace_labels(&self, namespace: &NamespaceName) -> Cow<'_, Labels> {
        self.namespaces.get(namespace.as_str()).map_or_else(
            || Cow::Owned(with_own_name(namespace.as_str(), Labels::new())),
            Cow::Borrowed,
        )
    }
}

/// Every namespace carries its own name as a label, which nobody can take away.
fn with_own_name(name: &str, mut labels: Labels) -> Labels {
    labels.insert(NAMESPACE_NAME_LABEL.to_owned(), name.to_owned());
    labels
}
