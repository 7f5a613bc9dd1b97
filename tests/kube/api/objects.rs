//! The objects of the server, as tests name them.

use serde_json::Value;
use sluicegate::admission;
use sluicegate::schema;
use sluicegate::store::{Key, ListQuery, Resource, ResourceRules, Settings, Store};

use super::kubectl::Clock;

/// The objects of a store, by names such as `tcproutes/default/r`.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    pub(super) store: Store,
}

impl Objects {
    /// Creates a store that also holds Nodes, which [`ApiService`](sluicegate::api::ApiService)
    /// does not serve.
    pub(super) fn new(clock: &Clock) -> Self {
        let mut catalog = admission::catalog();
        catalog.add(ResourceRules::cluster_scoped("", "nodes", "Node").with_status());
        let clock = clock.clone();
        let settings = Settings::new().with_clock(move || clock.now());
        Self { store: Store::in_memory(catalog, settings).unwrap() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let object = self.store.get(&self.key(name))?;
        Some(object.to_value())
    }

    /// Returns the objects whose names begin with a text, with their names.
    pub(crate) fn all(&self, prefix: &str) -> impl Iterator<Item = (String, Value)> {
        let resources = self.store.catalog().iter();
        let plural = prefix.split_once('/').map(|(plural, _)| plural);
        let found = resources.filter(|resource| plural.is_none_or(|it| it == resource.plural()));
        let mut all = Vec::new();
        for resource in found {
            let page = self.store.list(&ListQuery::new(resource), |_| true).unwrap();
            for object in page.objects {
                let name = name_of(object.key());
                if name.starts_with(prefix) {
                    all.push((name, object));
                }
            }
        }
        all.into_iter().map(|(name, object)| (name, object.to_value()))
    }

    /// Returns the resource with a plural name.
    pub(super) fn resource(&self, plural: &str) -> Resource {
        let mut resources = self.store.catalog().iter();
        let found = resources.find(|resource| resource.plural() == plural);
        found.unwrap_or_else(|| panic!("no resource {plural}")).clone()
    }

    /// Returns the key of an object with a name.
    pub(super) fn key(&self, name: &str) -> Key {
        let parts: Vec<_> = name.split('/').collect();
        match parts[..] {
            [plural, name] => Key::cluster_scoped(&self.resource(plural), name),
            [plural, namespace, name] => Key::namespaced(&self.resource(plural), namespace, name),
            _ => panic!("{name} is no name of an object"),
        }
    }

    /// Returns the key of an object.
    pub(super) fn key_of(&self, object: &Value) -> Key {
        let kind = object["kind"].as_str().unwrap();
        let mut resources = self.store.catalog().iter();
        let resource = resources.find(|resource| resource.kind() == kind);
        let resource = resource.unwrap_or_else(|| panic!("no resource of kind {kind}"));
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        Key::namespaced(resource, text("namespace"), text("name"))
    }
}

pub(super) fn name_of(key: &Key) -> String {
    let plural = key.resource().plural();
    match key.namespace() {
        Some(namespace) => format!("{plural}/{namespace}/{}", key.name()),
        None => format!("{plural}/{}", key.name()),
    }
}

/// Returns the stored version of a resource, as in `gateway.networking.k8s.io/v1`.
pub(super) fn api_version(resource: &Resource) -> String {
    let mut resources = schema::resources().iter();
    let found = resources.find(|known| {
        (known.storage_group(), known.plural()) == (resource.group(), resource.plural())
    });
    found.map_or_else(|| "v1".to_owned(), |found| found.api_version(found.storage_version()))
}
