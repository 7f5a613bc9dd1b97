//! Merge join of maps.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::iter::Peekable;

/// Pairs the entries of two maps by key, in the order of the keys. At least one value of each pair
/// is present.
pub(crate) fn merge_join<'a, K: Ord, V>(
    before: &'a BTreeMap<K, V>,
    now: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (before.peek(), now.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let old = if order.is_le() { before.next() } else { None };
        let new = if order.is_ge() { now.next() } else { None };
        let (key, _) = old.or(new)?;
        Some((key, old.map(|(_, value)| value), new.map(|(_, value)| value)))
    })
}

/// Reader of a map that finds the values of ascending keys in one walk over the map.
#[derive(Debug)]
pub(crate) struct AscendingReader<'a, K, V>(Peekable<btree_map::Iter<'a, K, V>>);

impl<'a, K: Ord, V> AscendingReader<'a, K, V> {
    pub(crate) fn new(map: &'a BTreeMap<K, V>) -> Self {
        Self(map.iter().peekable())
    }

    /// Returns the value of a key, which must be greater than the key of the last call.
    pub(crate) fn get(&mut self, key: &K) -> Option<&'a V> {
        loop {
            match self.0.peek()?.0.cmp(key) {
                Ordering::Less => _ = self.0.next(),
                Ordering::Equal => return self.0.next().map(|(_, value)| value),
                Ordering::Greater => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_join_pairs_the_entries_of_equal_keys() {
        let before = BTreeMap::from([(1, 'a'), (2, 'b'), (4, 'd'), (6, 'f')]);
        let now = BTreeMap::from([(2, 'B'), (3, 'C'), (6, 'F'), (7, 'G')]);
        let pairs: Vec<_> = merge_join(&before, &now).collect();
        let expected = [
            (&1, Some(&'a'), None),
            (&2, Some(&'b'), Some(&'B')),
            (&3, None, Some(&'C')),
            (&4, Some(&'d'), None),
            (&6, Some(&'f'), Some(&'F')),
            (&7, None, Some(&'G')),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(merge_join(&before, &BTreeMap::new()).count(), 4);
        assert_eq!(merge_join(&BTreeMap::<u8, u8>::new(), &BTreeMap::new()).count(), 0);
    }

    #[test]
    fn reader_finds_ascending_keys() {
        let map = BTreeMap::from([(2, 'b'), (4, 'd'), (5, 'e')]);
        let mut reader = AscendingReader::new(&map);
        let found: Vec<_> = (1..7).map(|key| reader.get(&key).copied()).collect();
        assert_eq!(found, [None, Some('b'), None, Some('d'), Some('e'), None]);
        assert_eq!(AscendingReader::new(&map).get(&5), Some(&'e'));
        assert_eq!(AscendingReader::new(&BTreeMap::<u8, u8>::new()).get(&1), None);
    }
}
