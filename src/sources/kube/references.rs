//! The Services that other objects refer to.

use std::collections::BTreeMap;

use crate::model::{NamespaceName, NamespacedName, TcpRoute};

/// The Services that other objects refer to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The namespace all of whose Services count as referred to.
    namespace: Option<NamespaceName>,
    /// The number of references to each Service.
    counts: BTreeMap<NamespacedName, usize>,
}

impl References {
    /// Creates a set without references. All Services of `namespace` count as referred to.
    pub(super) fn new(namespace: Option<NamespaceName>) -> Self {
        Self { namespace, counts: BTreeMap::new() }
    }

    /// Adds a reference. Returns `true` if it is the first one to this Service.
    pub(super) fn add(&mut self, service: NamespacedName) -> bool {
        let count = self.counts.entry(service).or_default();
        *count += 1;
        *count == 1
    }

    /// Removes a reference. Returns `true` if it was the last one to this Service.
    pub(super) fn remove(&mut self, service: &NamespacedName) -> bool {
        let Some(count) = self.counts.get_mut(service) else { return false };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            self.counts.remove(service);
        }
        is_last
    }

    pub(super) fn contains(&self, service: &NamespacedName) -> bool {
        self.namespace.as_ref() == Some(&service.namespace) || self.counts.contains_key(service)
    }
}

/// Returns the Services that a route refers to, even if no grant permits the reference.
pub(super) fn referenced_services(route: &TcpRoute) -> impl Iterator<Item = NamespacedName> + '_ {
    let backends = route.spec.rules.iter().flat_map(|rule| &rule.backend_refs);
    backends.filter(|backend| backend.is_service()).map(|backend| NamespacedName {
        namespace: backend.namespace.clone().unwrap_or_else(|| route.metadata.namespace()),
        name: backend.name.clone(),
    })
}
