//! Who comes first where two objects want the same thing: the older one, then the one whose
//! `namespace/name` comes first ([guidelines][1]).
//!
//! [1]: https://gateway-api.sigs.k8s.io/guides/api-design/#conflicts

use std::cmp::Ordering;

use crate::model::{NamespacedName, ObjectMeta, Timestamp};

/// An object's place in the order of precedence; the smaller one comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Precedence<'a> {
    /// An object without a creation timestamp counts as the youngest.
    has_no_timestamp: bool,
    created: Option<Timestamp>,
    name: Text<'a>,
}

impl<'a> Precedence<'a> {
    pub(super) fn of(name: &'a NamespacedName, metadata: &ObjectMeta) -> Self {
        let created = metadata.creation_timestamp;
        Self { has_no_timestamp: created.is_none(), created, name: Text(name) }
    }

    /// The object's name.
    pub(super) fn name(&self) -> &'a NamespacedName {
        self.name.0
    }
}

/// A name, compared as the text `namespace/name` and not part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Text<'a>(&'a NamespacedName);

impl Text<'_> {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        let pieces = [self.0.namespace.as_str(), "/", self.0.name.as_str()];
        pieces.into_iter().flat_map(str::bytes)
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}
