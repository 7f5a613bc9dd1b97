//! The catalog of resources that the API's store holds.

use std::time::Duration;

use crate::schema;
use crate::store::{Catalog, ResourceRules};

/// Time for which Events are kept, as in Kubernetes.
const EVENT_TIME_TO_LIVE: Duration = Duration::from_secs(60 * 60);

/// Fields of an Event with the time of its last occurrence.
const EVENT_TIMES: &[&str] = &["/eventTime", "/lastTimestamp", "/series/lastObservedTime"];

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
        if (group, kind) == ("", "Event") {
            rules = rules.with_time_to_live(EVENT_TIME_TO_LIVE, EVENT_TIMES);
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
