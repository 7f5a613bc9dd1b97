//! Who comes first where two objects want the same thing: the older one, then the one whose
//! `namespace/name` comes first ([guidelines][1]).
//!
//! [1]: https://gateway-api.sigs.k8s.io/guides/api-design/#conflicts

use crate::model::{NamespacedName, ObjectMeta, Timestamp};

/// Sorts objects by precedence. An object without a creation timestamp counts as the youngest.
///
/// The name is compared as the text `namespace/name`, not part by part.
pub(super) fn key<'a>(
    name: &'a NamespacedName,
    metadata: &ObjectMeta,
) -> (bool, Option<Timestamp>, impl Ord + use<'a>) {
    let text = [name.namespace.as_str(), "/", name.name.as_str()];
    let bytes = Text(text);
    (metadata.creation_timestamp.is_none(), metadata.creation_timestamp, bytes)
}

/// Three pieces, compared as one text.
struct Text<'a>([&'a str; 3]);

impl Text<'_> {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.0.iter().flat_map(|piece| piece.bytes())
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes().cmp(other.bytes())
    }
}
