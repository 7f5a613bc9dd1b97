//! The objects of the cluster as they were last observed.

use std::collections::{BTreeMap, BTreeSet};

use super::error_text::format_error;
use super::observed::{Observed, ServerState};
use super::scope::Scope;
use super::watch::WatchEvent;
use crate::model::{NamespaceName, ObjectKey, ObjectKind, Resources};
use crate::sources::Snapshot;

/// The objects of the cluster as they were last observed, and the problems with them.
#[derive(Debug, Default)]
pub(super) struct Cache {
    resources: Resources,
    states: BTreeMap<ObjectKey, ServerState>,
    /// The invalid objects, each with the problem to report.
    invalid: BTreeMap<ObjectKey, String>,
    /// The scopes whose watch has listed all objects.
    listed: BTreeSet<Scope>,
}

impl Cache {
    /// Applies an event of a watch, and adds the objects that it concerns to `touched`. Returns
    /// `true` if the event changes the snapshot.
    pub(super) fn apply(
        &mut self,
        scope: &Scope,
        event: WatchEvent,
        touched: &mut BTreeSet<ObjectKey>,
    ) -> bool {
        match event {
            WatchEvent::Listed(objects) => {
                self.listed.insert(scope.clone());
                let mut deleted = self.keys_within(scope);
                let mut is_changed = false;
                for observed in objects {
                    deleted.remove(&observed.key);
                    touched.insert(observed.key.clone());
                    is_changed |= self.record(observed);
                }
                for key in deleted {
                    is_changed |= self.remove(&key);
                    touched.insert(key);
                }
                is_changed
            }
            WatchEvent::Applied(observed) => {
                touched.insert(observed.key.clone());
                self.record(observed)
            }
            WatchEvent::Deleted(key) => {
                let is_changed = self.remove(&key);
                touched.insert(key);
                is_changed
            }
            WatchEvent::Failed(_) | WatchEvent::Resumed => false,
        }
    }

    /// Records an observed object, unless a newer version of it is known: the event of a watch may
    /// overtake the response to a write, and the reverse. Returns `true` if the snapshot changes.
    pub(super) fn record(&mut self, observed: Observed) -> bool {
        let is_outdated = |known: &ServerState| {
            is_newer(&known.resource_version, &observed.state.resource_version)
        };
        if self.states.get(&observed.key).is_some_and(is_outdated) {
            false
        } else {
            self.replace(observed)
        }
    }

    fn replace(&mut self, Observed { key, object, state }: Observed) -> bool {
        if self.states.get(&key).is_some_and(|known| known.uid != state.uid) {
            // The object was deleted and created again. The last valid version of the deleted
            // object must not stay in effect.
            self.resources.remove(&key);
        }
        self.states.insert(key.clone(), state);
        match object {
            Ok(object) => {
                let was_invalid = self.invalid.remove(&key).is_some();
                let is_new = self.resources.get(&key).is_none_or(|known| known != object);
                if is_new {
                    self.resources.insert(object);
                }
                is_new || was_invalid
            }
            Err(error) => {
                let effect = match self.resources.get(&key) {
                    Some(_) => "the last valid version stays in use",
                    None => "it is ignored",
                };
                let error = format_error(&error);
                let problem = format!("{key}: {error}; {effect} until the object is corrected");
                self.invalid.insert(key, problem.clone()).is_none_or(|known| known != problem)
            }
        }
    }

    fn remove(&mut self, key: &ObjectKey) -> bool {
        self.states.remove(key);
        let was_invalid = self.invalid.remove(key).is_some();
        self.resources.remove(key).is_some() || was_invalid
    }

    /// Returns the objects that the watch of a scope has found.
    fn keys_within(&self, Scope { kind, namespace }: &Scope) -> BTreeSet<ObjectKey> {
        let is_within = |key: &&ObjectKey| {
            key.kind == *kind && (namespace.is_none() || key.namespace == *namespace)
        };
        self.states.keys().filter(is_within).cloned().collect()
    }

    pub(super) fn has_listed(&self, scope: &Scope) -> bool {
        self.listed.contains(scope)
    }

    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(super) fn state(&self, key: &ObjectKey) -> Option<&ServerState> {
        self.states.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.states.keys()
    }

    /// Returns `true` if the Gateways of a namespace are known.
    pub(super) fn has_listed_gateways(&self, namespace: &NamespaceName) -> bool {
        let scope = |namespace| Scope { kind: ObjectKind::Gateway, namespace };
        self.has_listed(&scope(None)) || self.has_listed(&scope(Some(namespace.clone())))
    }

    /// Returns the objects that this source may manage.
    pub(super) fn managed(&self) -> impl Iterator<Item = &ObjectKey> {
        self.states.iter().filter(|(_, state)| state.raw.is_some()).map(|(key, _)| key)
    }

    pub(super) fn keys_of(&self, kind: ObjectKind) -> impl Iterator<Item = &ObjectKey> {
        self.states.keys().filter(move |key| key.kind == kind)
    }

    /// Returns the snapshot to publish. Its problems are those of the objects and `problems`.
    pub(super) fn snapshot(&self, problems: impl Iterator<Item = String>) -> Snapshot {
        let invalid = self.invalid.values().cloned();
        Snapshot { resources: self.resources.clone(), problems: invalid.chain(problems).collect() }
    }
}

/// Returns `true` if resource version `one` is newer than `other`. Kubernetes guarantees [integers
/// that increase]; with a server that uses others, the version that arrives last counts as the
/// newer one.
///
/// [integers that increase]: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
fn is_newer(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => false,
    }
}
