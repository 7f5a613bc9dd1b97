//! A map with a value for each object.

use std::collections::BTreeMap;

use super::scope::Scope;
use crate::model::{NamespaceName, ObjectKey, ObjectKind, ObjectName};

/// Objects of one kind in one namespace; cluster-scoped objects have none.
type Group = (ObjectKind, Option<NamespaceName>);

/// A map with a value for each object. The objects of a kind, and those of a scope, are found
/// without a scan of the others. The text of a namespace is stored once.
#[derive(Debug)]
pub(super) struct ObjectMap<T>(BTreeMap<Group, BTreeMap<ObjectName, T>>);

impl<T> Default for ObjectMap<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> ObjectMap<T> {
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&T> {
        self.0.get(&group(key))?.get(&key.name)
    }

    /// Inserts a value, and returns the previous one.
    pub(super) fn insert(&mut self, key: &ObjectKey, value: T) -> Option<T> {
        self.0.entry(group(key)).or_default().insert(key.name.clone(), value)
    }

    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<T> {
        let group = group(key);
        let objects = self.0.get_mut(&group)?;
        let removed = objects.remove(&key.name);
        if objects.is_empty() {
            self.0.remove(&group);
        }
        removed
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = ObjectKey> + '_ {
        self.0.iter().flat_map(keys_of_group)
    }

    pub(super) fn keys_of(&self, kind: ObjectKind) -> impl Iterator<Item = ObjectKey> + '_ {
        // `None` is the first namespace of a kind.
        let groups = self.0.range((kind, None)..);
        groups.take_while(move |((of, _), _)| *of == kind).flat_map(keys_of_group)
    }

    pub(super) fn keys_within(&self, scope: &Scope) -> Vec<ObjectKey> {
        match &scope.namespace {
            Some(_) => {
                let group = (scope.kind, scope.namespace.clone());
                self.0.get_key_value(&group).into_iter().flat_map(keys_of_group).collect()
            }
            None => self.keys_of(scope.kind).collect(),
        }
    }
}

fn group(key: &ObjectKey) -> Group {
    (key.kind, key.namespace.clone())
}

fn keys_of_group<'a, T>(
    ((kind, namespace), objects): (&'a Group, &'a BTreeMap<ObjectName, T>),
) -> impl Iterator<Item = ObjectKey> + 'a {
    objects.keys().map(|name| ObjectKey {
        kind: *kind,
        namespace: namespace.clone(),
        name: name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: ObjectKind, namespace: Option<&str>, name: &str) -> ObjectKey {
        let namespace = namespace.map(|namespace| namespace.parse().unwrap());
        ObjectKey { kind, namespace, name: name.parse().unwrap() }
    }

    #[test]
    fn objects_are_found_by_kind_and_by_scope() {
        let keys = [
            key(ObjectKind::GatewayClass, None, "c"),
            key(ObjectKind::Gateway, Some("a"), "g"),
            key(ObjectKind::Gateway, Some("b"), "g"),
            key(ObjectKind::Service, Some("a"), "s"),
        ];
        let mut map = ObjectMap::default();
        for (value, key) in keys.iter().enumerate() {
            assert_eq!(map.insert(key, value), None);
        }
        assert_eq!(map.keys().collect::<Vec<_>>(), keys);
        assert_eq!(map.get(&keys[2]), Some(&2));
        assert_eq!(map.keys_of(ObjectKind::GatewayClass).collect::<Vec<_>>(), keys[..1]);
        assert_eq!(map.keys_of(ObjectKind::Gateway).collect::<Vec<_>>(), keys[1..3]);
        assert_eq!(map.keys_of(ObjectKind::TcpRoute).count(), 0);
        let within = |kind, namespace: Option<&str>| {
            let namespace = namespace.map(|namespace| namespace.parse().unwrap());
            map.keys_within(&Scope { kind, namespace })
        };
        assert_eq!(within(ObjectKind::Gateway, None), keys[1..3]);
        assert_eq!(within(ObjectKind::Gateway, Some("b")), keys[2..3]);
        assert_eq!(within(ObjectKind::Gateway, Some("c")), []);
        assert_eq!(map.remove(&keys[2]), Some(2));
        assert_eq!(map.remove(&keys[2]), None);
        assert_eq!(map.keys_of(ObjectKind::Gateway).collect::<Vec<_>>(), keys[1..2]);
    }
}
