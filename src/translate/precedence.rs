//! Precedence of objects in conflict: the oldest first, then by `namespace/name`
//! ([guidelines][1]).
//!
//! [1]: https://gateway-api.sigs.k8s.io/guides/api-design/#conflicts

use std::cmp::Ordering;

use crate::model::{NamespacedName, ObjectMeta, Timestamp};

/// Sort key of an object; the smaller one has precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Precedence<'a> {
    /// An object without a creation timestamp counts as the newest.
    has_no_timestamp: bool,
    created: Option<Timestamp>,
    name: Text<'a>,
}

impl<'a> Precedence<'a> {
    pub(super) fn of(name: &'a NamespacedName, metadata: &ObjectMeta) -> Self {
        let created = metadata.creation_timestamp;
        Self { has_no_timestamp: created.is_none(), created, name: Text(name) }
    }

    /// Returns the object's name.
    pub(super) fn name(&self) -> &'a NamespacedName {
        self.name.0
    }
}

/// A name that is compared as the text `namespace/name`, not field by field.
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
