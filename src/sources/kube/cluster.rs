//! What has been seen of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::object::{Live, Seen};
use super::scope::Scope;
use super::watch::What;
use crate::model::{ObjectKey, ObjectKind, Resources};
use crate::sources::Snapshot;

/// The objects as they were last seen, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    resources: Resources,
    live: BTreeMap<ObjectKey, Live>,
    /// What of the objects cannot be read, and why.
    unreadable: BTreeMap<ObjectKey, String>,
    /// The watches that have listed what there is.
    listed: BTreeSet<Scope>,
}

impl Cluster {
    /// Takes in a change; the objects it touches are added to `touched`. Whether anything in the
    /// snapshot is different now.
    pub(super) fn take(
        &mut self,
        scope: &Scope,
        what: What,
        touched: &mut BTreeSet<ObjectKey>,
    ) -> bool {
        match what {
            What::Listed(objects) => {
                self.listed.insert(scope.clone());
                let mut gone = self.keys_within(scope);
                let mut is_changed = false;
                for seen in objects {
                    gone.remove(&seen.key);
                    touched.insert(seen.key.clone());
                    is_changed |= self.update(seen);
                }
                for key in gone {
                    is_changed |= self.remove(&key);
                    touched.insert(key);
                }
                is_changed
            }
            What::Applied(seen) => {
                touched.insert(seen.key.clone());
                self.update(seen)
            }
            What::Deleted(key) => {
                let is_changed = self.remove(&key);
                touched.insert(key);
                is_changed
            }
            What::Failed(_) | What::Resumed => false,
        }
    }

    /// Takes in an object, unless a later state of it is known: what a watch tells and what the
    /// server answers to a write may overtake each other.
    pub(super) fn update(&mut self, seen: Seen) -> bool {
        let is_old = |known: &Live| is_newer(&known.resource_version, &seen.live.resource_version);
        if self.live.get(&seen.key).is_some_and(is_old) { false } else { self.put(seen) }
    }

    fn put(&mut self, Seen { key, object, live }: Seen) -> bool {
        if self.live.get(&key).is_some_and(|known| known.uid != live.uid) {
            // Another object of that name: nothing of the old one stays in force.
            self.resources.remove(&key);
        }
        self.live.insert(key.clone(), live);
        match object {
            Ok(object) => {
                let was_unreadable = self.unreadable.remove(&key).is_some();
                let is_new = self.resources.get(&key).is_none_or(|known| known != object);
                if is_new {
                    self.resources.insert(object);
                }
                is_new || was_unreadable
            }
            Err(error) => {
                let stays = match self.resources.get(&key) {
                    Some(_) => "; the last good version stays in force",
                    None => "",
                };
                let problem = format!("{key}: cannot be read: {error}{stays}");
                self.unreadable.insert(key, problem.clone()).is_none_or(|known| known != problem)
            }
        }
    }

    fn remove(&mut self, key: &ObjectKey) -> bool {
        self.live.remove(key);
        let was_unreadable = self.unreadable.remove(key).is_some();
        self.resources.remove(key).is_some() || was_unreadable
    }

    /// The objects that a watch has found.
    fn keys_within(&self, Scope { kind, namespace }: &Scope) -> BTreeSet<ObjectKey> {
        let is_within = |key: &&ObjectKey| {
            key.kind == *kind && (namespace.is_none() || key.namespace == *namespace)
        };
        self.live.keys().filter(is_within).cloned().collect()
    }

    pub(super) fn has_listed(&self, scope: &Scope) -> bool {
        self.listed.contains(scope)
    }

    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(super) fn live(&self, key: &ObjectKey) -> Option<&Live> {
        self.live.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.live.keys()
    }

    /// The objects that a Gateway owns.
    pub(super) fn owned(&self) -> impl Iterator<Item = &ObjectKey> {
        self.live.iter().filter(|(_, live)| live.whole.is_some()).map(|(key, _)| key)
    }

    pub(super) fn keys_of(&self, kind: ObjectKind) -> impl Iterator<Item = &ObjectKey> {
        self.live.keys().filter(move |key| key.kind == kind)
    }

    /// What is to be published.
    pub(super) fn snapshot(&self, problems: impl Iterator<Item = String>) -> Snapshot {
        let unreadable = self.unreadable.values().cloned();
        Snapshot {
            resources: self.resources.clone(),
            problems: unreadable.chain(problems).collect(),
        }
    }
}

/// Whether one resource version is newer than another: they are counters, as Kubernetes has at last
/// promised. Where they are something else, whatever comes later counts as newer.
fn is_newer(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => false,
    }
}
