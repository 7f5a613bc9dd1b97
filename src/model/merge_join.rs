//! Merge join of two maps.

use std::cmp::Ordering;
use std::collections::BTreeMap;

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
}
