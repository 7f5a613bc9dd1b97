//! The objects of one kind in a snapshot.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Objects of one kind, by name: a map that clones share until one of them is changed.
///
/// A snapshot can then be handed on, kept and compared at next to no cost, and a change to one
/// copies the map of the kind that changes. Not its objects: those are shared anyway.
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
    fn clones_share_the_map_until_one_is_changed() {
        let mut store = Store::default();
        store.insert("one", Arc::new(1));
        let before = store.clone();
        assert!(Arc::ptr_eq(&before.0, &store.0));
        store.insert("two", Arc::new(2));
        assert_eq!((before.len(), store.len()), (1, 2));
        assert!(Arc::ptr_eq(&before["one"], &store["one"]));
    }
}
