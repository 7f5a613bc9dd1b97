//! Copy-on-write map of the objects of one kind.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::merge_join::merge_join;

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

impl<K: Ord, T: Eq> Store<K, T> {
    /// Returns the objects that differ from those of `previous`, in the order of the keys: the
    /// object before and the object now. At least one of them is present.
    ///
    /// Stores that share their map are not compared, and neither are shared objects.
    pub(crate) fn differences<'a>(
        &'a self,
        previous: &'a Self,
    ) -> impl Iterator<Item = (Option<&'a Arc<T>>, Option<&'a Arc<T>>)> {
        let is_shared = Arc::ptr_eq(&self.0, &previous.0);
        let pairs = (!is_shared).then(|| merge_join(&previous.0, &self.0));
        let objects = pairs.into_iter().flatten().map(|(_, before, now)| (before, now));
        // `Arc` compares the pointers first, because `T` is `Eq`.
        objects.filter(|(before, now)| before != now)
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

    #[test]
    fn differences_are_added_changed_and_removed_objects() {
        let mut before = Store::default();
        for (name, value) in [("changed", 1), ("equal", 1), ("removed", 1), ("shared", 1)] {
            before.insert(name, Arc::new(value));
        }
        let mut now = before.clone();
        assert_eq!(now.differences(&before).count(), 0);
        now.remove("removed");
        for (name, value) in [("added", 2), ("changed", 2), ("equal", 1)] {
            now.insert(name, Arc::new(value));
        }
        let values = |(before, now): (Option<&Arc<i32>>, Option<&Arc<i32>>)| {
            (before.map(|value| **value), now.map(|value| **value))
        };
        let differences: Vec<_> = now.differences(&before).map(values).collect();
        assert_eq!(differences, [(None, Some(2)), (Some(1), Some(2)), (Some(1), None)]);
    }
}
