//! The resources of the API, as a store knows them.

use crate::schema;
use crate::store::{Catalog, ResourceRules};

/// Returns the catalog of a store that holds the objects of all served resources
/// ([`schema::resources`]).
///
/// Resources under two groups whose objects are the same, as Events, have one entry.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    for resource in schema::resources() {
        let group = resource.storage_group();
        let (plural, kind) = (resource.plural(), resource.kind());
        let mut rules = if resource.is_namespaced() {
            ResourceRules::namespaced(group, plural, kind)
        } else {
            ResourceRules::cluster_scoped(group, plural, kind)
        };
        if resource.has_status() {
            rules = rules.with_status();
        }
        if resource.has_generation() {
            rules = rules.with_generation();
        }
        catalog.add(rules);
    }
    catalog
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_is_stored_under_its_storage_group() {
        let catalog = catalog();
        for resource in schema::resources() {
            let stored = catalog.get(resource.storage_group(), resource.plural()).unwrap();
            assert_eq!(stored.kind(), resource.kind());
            assert_eq!(stored.is_namespaced(), resource.is_namespaced());
            assert_eq!(stored.has_status(), resource.has_status(), "{stored}");
            assert_eq!(stored.has_generation(), resource.has_generation(), "{stored}");
        }
        assert_eq!(catalog.get("events.k8s.io", "events"), None);
    }
}
