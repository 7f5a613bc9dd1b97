//! Copy-on-write map of the objects of one kind.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Objects of one kind by name: a copy-on-write map. It dereferences to [`BTreeMap`].
///
/// Clones share the map until one of them changes. Passing on, keeping and comparing a snapshot is
/// therefore cheap, and a change copies the map of one kind. The objects themselves stay shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store<K, T>(Arc<BTreeMap<K, Arc<T>>>);

impl<K, T> Default for Store<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Deref for Store<K, T> {
    type Target = BTreeMap<K, Arc<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Clone, T> DerefMut for Store<K, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl<'a, K, T> IntoIterator for &'a Store<K, T> {
    type Item = (&'a K, &'a Arc<T>);
    type IntoIter = Iter<'a, K, Arc<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_map_until_one_changes() {
        let mut store = Store::default();
        store.insert("one", Arc::new(1));
        let before = store.clone();
        assert!(Arc::ptr_eq(&before.0, &store.0));
        store.insert("two", Arc::new(2));
        assert_eq!((before.len(), store.len()), (1, 2));
        assert!(Arc::ptr_eq(&before["one"], &store["one"]));
    }
}
