//! Garbage collector.

use std::collections::{BTreeSet, VecDeque};

use super::expiries::Expiries;
use super::owners::Owners;
use crate::model::Timestamp;
use crate::store::change::{Change, ChangeKind};
use crate::store::evaluate::Step;
use crate::store::key::Key;
use crate::store::metadata::{FOREGROUND_FINALIZER, ORPHAN_FINALIZER, OwnerReference};
use crate::store::objects::Objects;
use crate::store::resource::Catalog;
use crate::store::stored_object::StoredObject;
use crate::store::write::Propagation;

/// Maximum number of objects that a round checks, and of its steps. Clients wait for at most one
/// round.
const MAX_PER_ROUND: usize = 64;

/// Garbage collector: a queue of objects to check, which changes of objects fill.
///
/// A check computes steps from the published state. The changes of these steps cause further
/// checks, until no steps are left.
#[derive(Debug)]
pub(in crate::store) struct Collector {
    catalog: Catalog,
    owners: Owners,
    expiries: Expiries,
    queue: VecDeque<Key>,
    queued: BTreeSet<Key>,
}

/// State of an owner for the object that refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnerState {
    /// The owner exists, or is of a kind that the store does not serve.
    Present,
    /// The owner is deleted after its dependents.
    Waiting,
    Absent,
}

impl Collector {
    /// Creates a collector that checks all objects once: an earlier process may have ended between
    /// the removal of an owner and that of its dependents.
    pub(in crate::store) fn new(catalog: Catalog, objects: &Objects, now: Timestamp) -> Self {
        let mut collector = Self {
            catalog,
            owners: Owners::default(),
            expiries: Expiries::default(),
            queue: VecDeque::new(),
            queued: BTreeSet::new(),
        };
        for object in objects.iter() {
            collector.owners.insert(object);
            collector.expiries.insert(object, now);
            if !object.owner_references().is_empty() || object.is_being_deleted() {
                collector.enqueue(object.key());
            }
        }
        collector
    }

    pub(in crate::store) fn has_work(&self, now: Timestamp) -> bool {
        !self.queue.is_empty() || self.expiries.next().is_some_and(|time| time <= now)
    }

    /// Returns the time at which the next object expires.
    pub(in crate::store) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.next()
    }

    /// Adds the objects to the queue that a published change may affect.
    pub(in crate::store) fn note(&mut self, change: &Change, now: Timestamp) {
        let object = change.object();
        let previous = change.previous();
        if let Some(previous) = previous {
            self.owners.remove(previous);
        }
        if change.kind() != ChangeKind::Deleted {
            self.owners.insert(object);
            self.expiries.insert(object, now);
            let owners = previous.map_or(&[][..], |previous| previous.owner_references());
            let finalizers = previous.map_or(&[][..], |previous| previous.finalizers());
            let has_other_owners = owners != object.owner_references();
            let was_being_deleted = previous.is_some_and(|previous| previous.is_being_deleted());
            if has_other_owners {
                self.enqueue(object.key());
                self.enqueue_owners(owners);
            }
            if object.is_being_deleted()
                && (!was_being_deleted || finalizers != object.finalizers())
            {
                self.enqueue(object.key());
            }
            return;
        }
        self.expiries.remove(object.key());
        let dependents: Vec<_> = self.owners.dependents(object.uid()).cloned().collect();
        dependents.iter().for_each(|key| self.enqueue(key));
        self.enqueue_owners(object.owner_references());
        if let Some(namespace) = object.key().namespace() {
            self.enqueue(&Key::cluster_scoped(self.catalog.namespaces(), namespace));
        }
    }

    /// Checks the next objects. Returns the steps, and the keys of the objects that were checked.
    pub(in crate::store) fn next_round(
        &mut self,
        objects: &Objects,
        now: Timestamp,
    ) -> (Vec<(Key, Step)>, Vec<Key>) {
        while self.queue.len() < MAX_PER_ROUND
            && let Some(key) = self.expiries.take_expired(now)
        {
            self.enqueue(&key);
        }
        let mut steps = Vec::new();
        let mut checked = Vec::new();
        while checked.len() < MAX_PER_ROUND && steps.len() < MAX_PER_ROUND {
            let Some(key) = self.queue.pop_front() else { break };
            self.queued.remove(&key);
            match objects.get(&key) {
                Some(object) if self.expiries.has_expired(&key, now) => {
                    steps.push((object.key().clone(), Step::Delete(None)));
                }
                Some(object) => self.check(objects, object, &mut steps),
                None => {}
            }
            checked.push(key);
        }
        (steps, checked)
    }

    /// Adds objects to the queue again because their steps could not be stored.
    pub(in crate::store) fn retry(&mut self, keys: &[Key]) {
        keys.iter().for_each(|key| self.enqueue(key));
    }

    fn enqueue(&mut self, key: &Key) {
        if self.queued.insert(key.clone()) {
            self.queue.push_back(key.clone());
        }
    }

    fn enqueue_owners(&mut self, owners: &[OwnerReference]) {
        let keys: Vec<_> =
            owners.iter().filter_map(|owner| self.owners.key(&owner.uid).cloned()).collect();
        keys.iter().for_each(|key| self.enqueue(key));
    }

    fn check(&mut self, objects: &Objects, object: &StoredObject, steps: &mut Vec<(Key, Step)>) {
        let is_deleted = object.is_being_deleted();
        if is_deleted && object.key().resource().is_namespaces() {
            self.check_namespace(objects, object, steps);
        }
        if is_deleted && object.metadata().has_finalizer(ORPHAN_FINALIZER) {
            self.check_orphaning_owner(object, steps);
        } else if is_deleted && object.metadata().has_finalizer(FOREGROUND_FINALIZER) {
            self.check_waiting_owner(objects, object, steps);
        }
        if !object.owner_references().is_empty() {
            steps.extend(self.dependent_step(objects, object));
        }
    }

    /// Deletes the content of a namespace, then the namespace.
    fn check_namespace(
        &mut self,
        objects: &Objects,
        namespace: &StoredObject,
        steps: &mut Vec<(Key, Step)>,
    ) {
        let name = namespace.key().name();
        let resources = self.catalog.iter().filter(|resource| resource.is_namespaced());
        let mut content =
            resources.flat_map(|resource| objects.in_namespace(resource, name)).peekable();
        if content.peek().is_none() {
            if namespace.finalizers().is_empty() {
                steps.push((namespace.key().clone(), Step::RemoveNamespace));
            }
            return;
        }
        let rest = content.filter(|object| !object.is_being_deleted());
        let found: Vec<_> = rest.take(MAX_PER_ROUND).map(|object| object.key().clone()).collect();
        if found.len() == MAX_PER_ROUND {
            self.enqueue(namespace.key());
        }
        let step = Step::Delete(Some(Propagation::Background));
        steps.extend(found.into_iter().map(|key| (key, step.clone())));
    }

    /// Removes the references to an owner from its dependents, then the finalizer.
    fn check_orphaning_owner(&mut self, owner: &StoredObject, steps: &mut Vec<(Key, Step)>) {
        let dependents = self.owners.dependents(owner.uid()).take(MAX_PER_ROUND);
        let dependents: Vec<_> = dependents.cloned().collect();
        if dependents.is_empty() {
            steps.push((owner.key().clone(), Step::RemoveFinalizer(ORPHAN_FINALIZER)));
            return;
        }
        self.enqueue(owner.key());
        let step = Step::RemoveOwners([owner.metadata().uid.clone()].into());
        steps.extend(dependents.into_iter().map(|key| (key, step.clone())));
    }

    /// Removes the finalizer of an owner when no dependent blocks its deletion.
    fn check_waiting_owner(
        &mut self,
        objects: &Objects,
        owner: &StoredObject,
        steps: &mut Vec<(Key, Step)>,
    ) {
        let dependents = self.owners.dependents(owner.uid()).filter_map(|key| objects.get(key));
        let (mut is_blocked, mut rest) = (false, Vec::new());
        for dependent in dependents {
            let references = dependent.owner_references().iter();
            is_blocked |= references
                .filter(|reference| *reference.uid == *owner.uid())
                .any(|reference| reference.block_owner_deletion);
            if !dependent.is_being_deleted() {
                rest.push(dependent.key().clone());
            }
        }
        if !is_blocked {
            steps.push((owner.key().clone(), Step::RemoveFinalizer(FOREGROUND_FINALIZER)));
        }
        rest.iter().for_each(|key| self.enqueue(key));
    }

    fn dependent_step(&self, objects: &Objects, object: &StoredObject) -> Option<(Key, Step)> {
        let mut removable = BTreeSet::new();
        let (mut has_owner, mut is_waiting) = (false, false);
        for reference in object.owner_references() {
            match self.owner_state(objects, object, reference) {
                OwnerState::Present => has_owner = true,
                OwnerState::Waiting => {
                    is_waiting = true;
                    removable.insert(reference.uid.clone());
                }
                OwnerState::Absent => _ = removable.insert(reference.uid.clone()),
            }
        }
        let step = if has_owner {
            (!removable.is_empty()).then_some(Step::RemoveOwners(removable))?
        } else if object.is_being_deleted() {
            return None;
        } else if is_waiting && self.owners.dependents(object.uid()).next().is_some() {
            // In a cycle of owners, each would wait for the others.
            let is_cycle = self.has_waiting_dependent(objects, object)
                && object.owner_references().iter().any(|owner| owner.block_owner_deletion);
            if is_cycle { Step::UnblockOwners } else { Step::Delete(Some(Propagation::Foreground)) }
        } else {
            Step::Delete(None)
        };
        Some((object.key().clone(), step))
    }

    fn has_waiting_dependent(&self, objects: &Objects, object: &StoredObject) -> bool {
        let mut dependents =
            self.owners.dependents(object.uid()).filter_map(|key| objects.get(key));
        dependents.any(|dependent| is_waiting(dependent))
    }

    /// Returns the state of an owner. As in Kubernetes, an owner in another namespace is absent.
    fn owner_state(
        &self,
        objects: &Objects,
        object: &StoredObject,
        reference: &OwnerReference,
    ) -> OwnerState {
        let namespace = object.key().namespace();
        let key = self.owners.key(&reference.uid);
        let key = key.filter(|key| key.namespace().is_none() || key.namespace() == namespace);
        if let Some(owner) = key.and_then(|key| objects.get(key)) {
            return if is_waiting(owner) { OwnerState::Waiting } else { OwnerState::Present };
        }
        match self.catalog.with_kind(reference.group(), &reference.kind) {
            // A cluster-scoped object cannot name the namespace of an owner.
            Some(resource) if !resource.is_namespaced() || namespace.is_some() => {
                OwnerState::Absent
            }
            Some(_) | None => OwnerState::Present,
        }
    }
}

/// Returns `true` if an object is deleted after its dependents.
fn is_waiting(object: &StoredObject) -> bool {
    object.is_being_deleted() && object.metadata().has_finalizer(FOREGROUND_FINALIZER)
}
