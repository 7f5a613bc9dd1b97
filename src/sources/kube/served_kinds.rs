//! The kinds that the source watches, and those of them that the API server serves.

use std::collections::{BTreeMap, BTreeSet};

use super::discovery::ServedKind;
use crate::model::ObjectKind;

/// The kinds that the source watches, and the last results of discovery.
#[derive(Debug)]
pub(super) struct ServedKinds {
    watched: Vec<ObjectKind>,
    served: BTreeMap<ObjectKind, ServedKind>,
    /// The watched kinds that are not served; `None` until this is certain.
    missing: Option<BTreeSet<ObjectKind>>,
    /// The kinds that were missing in the previous discovery, while `missing` is not certain.
    missing_once: BTreeSet<ObjectKind>,
}

impl ServedKinds {
    /// Creates the set of the kinds to watch, before the first discovery.
    pub(super) fn new(watched: Vec<ObjectKind>) -> Self {
        Self { watched, served: BTreeMap::new(), missing: None, missing_once: BTreeSet::new() }
    }

    pub(super) fn get(&self, kind: ObjectKind) -> Option<&ServedKind> {
        self.served.get(&kind)
    }

    /// Records the result of a discovery. Returns the kinds that are served in another way than
    /// before, or no longer: their watches must be restarted or stopped.
    pub(super) fn update(&mut self, served: BTreeMap<ObjectKind, ServedKind>) -> Vec<ObjectKind> {
        let is_changed = |kind: &ObjectKind| self.served.get(kind) != served.get(kind);
        let changed = self.watched.iter().copied().filter(is_changed).collect();
        self.served = served;
        changed
    }

    /// Determines the missing kinds. Returns `true` if they differ from those known before.
    ///
    /// An API server that has just started may not serve all kinds yet. Therefore, missing kinds
    /// are reported for the first time only if two discoveries in a row miss the same kinds.
    pub(super) fn update_missing(&mut self) -> bool {
        let is_missing = |kind: &ObjectKind| !self.served.contains_key(kind);
        let missing: BTreeSet<_> = self.watched.iter().copied().filter(is_missing).collect();
        if self.missing.is_none() && !missing.is_empty() && self.missing_once != missing {
            self.missing_once = missing;
            return false;
        }
        let before = self.missing.replace(missing);
        before != self.missing
    }

    /// Returns `true` if it is certain which kinds are missing.
    pub(super) fn is_certain(&self) -> bool {
        self.missing.is_some()
    }

    /// Returns the problem to report if kinds are missing.
    pub(super) fn problem(&self) -> Option<String> {
        let missing: Vec<_> = self.missing.iter().flatten().map(|kind| kind.as_str()).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "the API server does not serve {}; install the custom resource definitions of Gateway API (no restart is needed)",
                missing.join(", ")
            )
        })
    }
}
