//! The Services and EndpointSlices that this source does not manage.

use std::collections::BTreeSet;

use super::compact::CompactObject;
use super::object_map::ObjectMap;
use super::scope::Scope;
use crate::model::{NamespacedName, Object, ObjectKey, ObjectKind, ObjectName, stable_hash};

/// The Services and EndpointSlices that this source does not manage, in compact form: the last
/// valid version of each.
#[derive(Debug, Default)]
pub(super) struct Backends {
    objects: ObjectMap<CompactObject>,
    /// The names of the EndpointSlices by the hash of their Service. A slice is in the namespace of
    /// its Service. `None` is smaller than every name, so a range can start with it.
    slices: BTreeSet<(u64, Option<ObjectName>)>,
}

/// A known Service or EndpointSlice.
#[derive(Debug)]
pub(super) struct Backend<'a> {
    kind: ObjectKind,
    name: NamespacedName,
    object: &'a CompactObject,
}

impl Backends {
    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.objects.get(key).is_some()
    }

    /// Returns `true` if the known version is of an object with another uid.
    pub(super) fn has_other_uid(&self, key: &ObjectKey, uid: &str) -> bool {
        self.objects.get(key).is_some_and(|known| !known.has_uid(uid))
    }

    pub(super) fn insert(&mut self, key: &ObjectKey, object: CompactObject) {
        let entry = slice_entry(key, &object);
        let previous = self.objects.insert(key, object);
        let previous = previous.and_then(|previous| slice_entry(key, &previous));
        if let Some(previous) = previous.filter(|previous| Some(previous) != entry.as_ref()) {
            self.slices.remove(&previous);
        }
        self.slices.extend(entry);
    }

    /// Returns `true` if the object was known.
    pub(super) fn remove(&mut self, key: &ObjectKey) -> bool {
        let Some(removed) = self.objects.remove(key) else { return false };
        if let Some(entry) = slice_entry(key, &removed) {
            self.slices.remove(&entry);
        }
        true
    }

    /// Returns an object with the Service that it belongs to: a Service belongs to itself.
    pub(super) fn get(&self, key: &ObjectKey) -> Option<(NamespacedName, Backend<'_>)> {
        let object = self.objects.get(key)?;
        let mut service = key.namespaced_name()?;
        let name = service.clone();
        if key.kind == ObjectKind::EndpointSlice {
            service.name = object.service_name()?;
        }
        Some((service, Backend { kind: key.kind, name, object }))
    }

    /// Returns the known objects that belong to a Service: the Service itself and its
    /// EndpointSlices.
    pub(super) fn keys_of_service(&self, service: &NamespacedName) -> Vec<ObjectKey> {
        let hash = hash(service);
        let slices = self.slices.range((hash, None)..).take_while(|(other, _)| *other == hash);
        let names = slices.filter_map(|(_, name)| name.clone());
        let slices = names.map(|name| ObjectKey {
            kind: ObjectKind::EndpointSlice,
            namespace: Some(service.namespace.clone()),
            name,
        });
        let keys = std::iter::once(ObjectKey::namespaced(ObjectKind::Service, service));
        // The hashes of two Services may be equal.
        let is_of_service =
            |key: &ObjectKey| self.get(key).is_some_and(|(owner, _)| owner == *service);
        keys.chain(slices).filter(is_of_service).collect()
    }

    pub(super) fn keys_within(&self, scope: &Scope) -> Vec<ObjectKey> {
        self.objects.keys_within(scope)
    }
}

impl Backend<'_> {
    /// Returns the object as a model object.
    pub(super) fn decode(&self) -> Object {
        match self.kind {
            ObjectKind::EndpointSlice => self.object.to_slice(&self.name).into(),
            _ => self.object.to_service(&self.name).into(),
        }
    }
}

fn slice_entry(key: &ObjectKey, object: &CompactObject) -> Option<(u64, Option<ObjectName>)> {
    if key.kind != ObjectKind::EndpointSlice {
        return None;
    }
    let service =
        NamespacedName { namespace: key.namespace.clone()?, name: object.service_name()? };
    Some((hash(&service), Some(key.name.clone())))
}

fn hash(service: &NamespacedName) -> u64 {
    stable_hash(&service.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::EndpointSlice;

    fn slice(service: &str) -> CompactObject {
        let object = json!({
            "metadata": { "name": "e", "labels": { "kubernetes.io/service-name": service } },
            "addressType": "IPv4",
        });
        CompactObject::of_slice(&serde_json::from_value::<EndpointSlice>(object).unwrap())
    }

    #[test]
    fn slices_are_found_by_their_service() {
        let name = |name: &str| -> NamespacedName { format!("default/{name}").parse().unwrap() };
        let key = ObjectKey::namespaced(ObjectKind::EndpointSlice, &name("e"));
        let mut backends = Backends::default();
        for service in ["s", "s", "t"] {
            backends.insert(&key, slice(service));
            assert_eq!(backends.keys_of_service(&name(service)), std::slice::from_ref(&key));
            assert_eq!(backends.slices.len(), 1, "one entry for the slice");
        }
        assert_eq!(backends.keys_of_service(&name("s")), []);
        assert!(backends.remove(&key));
        assert_eq!(backends.keys_of_service(&name("t")), []);
        assert_eq!(backends.slices.len(), 0);
    }
}
