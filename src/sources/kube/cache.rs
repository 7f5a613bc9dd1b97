//! The objects of the cluster as they were last observed.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::backends::Backends;
use super::compact::CompactObject;
use super::invalid_objects::InvalidObjects;
use super::object_map::ObjectMap;
use super::observed::{Content, Observed, ServerState};
use super::references::{References, referenced_services};
use super::scope::Scope;
use super::versions::{UnconfirmedVersions, is_newer};
use super::watch::WatchEvent;
use crate::model::{
    NamespaceName, NamespacedName, Object, ObjectKey, ObjectKind, Resources, Store, TcpRoute,
};
use crate::sources::Snapshot;
use crate::sources::invalid_object::InvalidObject;

/// The objects of the cluster as they were last observed, and the problems with them.
///
/// There are many Services and EndpointSlices to which nothing refers. They are kept in compact
/// form, are not part of the snapshot, and their changes do not change it. An object becomes part
/// of the snapshot when a route refers to its Service.
#[derive(Debug, Default)]
pub(super) struct Cache {
    resources: Resources,
    /// The state of each object that is kept whole.
    states: ObjectMap<ServerState>,
    backends: Backends,
    references: References,
    /// The Services that routes of other sources refer to, among `references`.
    referenced_elsewhere: BTreeSet<NamespacedName>,
    invalid: InvalidObjects,
    unconfirmed: UnconfirmedVersions,
    /// The scopes whose watch has listed all objects.
    listed: BTreeSet<Scope>,
}

/// Keys of objects that changed.
type Touched = BTreeSet<ObjectKey>;

impl Cache {
    /// Creates an empty cache. All Services and EndpointSlices of `namespace` are part of the
    /// snapshot.
    pub(super) fn new(namespace: Option<NamespaceName>) -> Self {
        Self { references: References::new(namespace), ..Self::default() }
    }

    /// Applies an event of a watch, and adds the objects that it concerns to `touched`. Returns
    /// `true` if the event changes the snapshot.
    pub(super) fn apply(
        &mut self,
        scope: &Scope,
        event: WatchEvent,
        touched: &mut Touched,
    ) -> bool {
        match event {
            WatchEvent::Listed(objects) => {
                self.listed.insert(scope.clone());
                let mut deleted = self.keys_within(scope);
                let mut is_changed = false;
                for observed in objects {
                    deleted.remove(&observed.key);
                    is_changed |= self.record(observed, touched);
                }
                for key in deleted {
                    is_changed |= self.remove(&key, touched);
                }
                is_changed
            }
            WatchEvent::Applied(observed) => self.record(observed, touched),
            WatchEvent::Deleted(key) => self.remove(&key, touched),
            WatchEvent::Failed(_) | WatchEvent::Resumed => false,
        }
    }

    /// Records an object that a watch has reported, unless the response to a write has returned a
    /// newer version of it. Returns `true` if the snapshot changes.
    fn record(&mut self, observed: Observed, touched: &mut Touched) -> bool {
        if let Content::Whole { state, .. } = &observed.content {
            touched.insert(observed.key.clone());
            if self.unconfirmed.supersede(&observed.key, &state.resource_version, Instant::now()) {
                return false;
            }
        }
        self.replace(observed, touched)
    }

    /// Records the object of a response to a write, unless a watch has reported a newer version of
    /// it. Returns `true` if the snapshot changes.
    pub(super) fn record_response(&mut self, observed: Observed) -> bool {
        if let Content::Whole { state, .. } = &observed.content {
            let (key, version) = (&observed.key, &state.resource_version);
            let known = self.states.get(key).map(|known| &known.resource_version);
            if known.is_some_and(|known| is_newer(known, version)) {
                return false;
            }
            if known != Some(version) {
                self.unconfirmed.insert(key, version, Instant::now());
            }
        }
        self.replace(observed, &mut Touched::new())
    }

    /// Sets the routes of all sources: those that are not of this source may refer to Services of
    /// the cluster too. Adds the objects that this concerns to `touched`. Returns `true` if the
    /// snapshot changes.
    pub(super) fn set_routes(
        &mut self,
        routes: &Store<NamespacedName, TcpRoute>,
        touched: &mut Touched,
    ) -> bool {
        let own = &self.resources.tcp_routes;
        // A snapshot of this source alone shares the map.
        let is_own = std::ptr::eq::<BTreeMap<_, _>>(&**own, &**routes);
        let others = routes.iter().filter(|(name, _)| !is_own && !own.contains_key(*name));
        let others = others.flat_map(|(_, route)| referenced_services(route));
        let others: BTreeSet<_> = others.collect();
        let before = std::mem::replace(&mut self.referenced_elsewhere, others.clone());
        let mut is_changed = false;
        for service in others.difference(&before) {
            is_changed |= self.add_reference(service.clone(), touched);
        }
        for service in before.difference(&others) {
            is_changed |= self.remove_reference(service, touched);
        }
        is_changed
    }

    fn replace(&mut self, Observed { key, content }: Observed, touched: &mut Touched) -> bool {
        match content {
            Content::Whole { object, state } => self.replace_whole(&key, object, state, touched),
            Content::Backend { service, object, uid } => {
                self.replace_backend(&key, service, object, &uid, touched)
            }
        }
    }

    fn replace_whole(
        &mut self,
        key: &ObjectKey,
        object: Result<Object, InvalidObject>,
        state: ServerState,
        touched: &mut Touched,
    ) -> bool {
        let is_other_object = self.states.get(key).is_some_and(|known| known.uid != state.uid);
        self.backends.remove(key);
        if self.states.insert(key, state).is_none()
            && let Some(service) = own_service(key)
        {
            // A managed Service is always part of the snapshot, with its EndpointSlices.
            self.add_reference(service, touched);
        }
        match object {
            Ok(object) => {
                let was_invalid = self.invalid.remove(key, &self.references);
                self.set(key, Some(object), touched) | was_invalid
            }
            Err(error) => {
                // The last valid version of an object that was deleted and created again must not
                // stay in effect.
                let is_removed = is_other_object && self.set(key, None, touched);
                let is_kept = self.resources.get(key).is_some();
                self.invalid.insert(key, &error, is_kept, None, &self.references) | is_removed
            }
        }
    }

    fn replace_backend(
        &mut self,
        key: &ObjectKey,
        service: Option<NamespacedName>,
        object: Result<CompactObject, InvalidObject>,
        uid: &str,
        touched: &mut Touched,
    ) -> bool {
        let was_managed = self.remove_state(key, touched);
        let mut is_changed = was_managed && self.set(key, None, touched);
        match (object, service) {
            (Ok(object), Some(_)) => {
                self.backends.insert(key, object);
                is_changed |= self.invalid.remove(key, &self.references);
                is_changed | self.refresh(key, touched)
            }
            // An EndpointSlice without a Service.
            (Ok(_), None) => self.remove(key, touched) | is_changed,
            (Err(error), Some(service)) => {
                if self.backends.has_other_uid(key, uid) {
                    self.backends.remove(key);
                    is_changed |= self.refresh(key, touched);
                }
                let is_kept = self.backends.contains(key);
                let (service, references) = (Some(service), &self.references);
                self.invalid.insert(key, &error, is_kept, service, references) | is_changed
            }
            (Err(_), None) => is_changed,
        }
    }

    /// Removes an object. Returns `true` if the snapshot changes.
    fn remove(&mut self, key: &ObjectKey, touched: &mut Touched) -> bool {
        self.unconfirmed.remove(key);
        if self.remove_state(key, touched) {
            touched.insert(key.clone());
        }
        self.backends.remove(key);
        let was_invalid = self.invalid.remove(key, &self.references);
        self.set(key, None, touched) | was_invalid
    }

    /// Removes the state of an object that was kept whole, and returns `true` if it was.
    fn remove_state(&mut self, key: &ObjectKey, touched: &mut Touched) -> bool {
        let was_whole = self.states.remove(key).is_some();
        if was_whole && let Some(service) = own_service(key) {
            self.remove_reference(&service, touched);
        }
        was_whole
    }

    /// Makes a backend part of the snapshot if something refers to its Service, and removes it
    /// otherwise. Returns `true` if the snapshot changes.
    fn refresh(&mut self, key: &ObjectKey, touched: &mut Touched) -> bool {
        let known = self.backends.get(key);
        let referenced = known.filter(|(service, _)| self.references.contains(service));
        let object = referenced.map(|(_, backend)| backend.decode());
        self.set(key, object, touched)
    }

    /// Sets or removes an object of the snapshot. Returns `true` if the snapshot changes.
    fn set(&mut self, key: &ObjectKey, object: Option<Object>, touched: &mut Touched) -> bool {
        let before = self.resources.get(key);
        if before == object {
            return false;
        }
        touched.insert(key.clone());
        let services = |object: &Option<Object>| match object {
            Some(Object::TcpRoute(route)) => referenced_services(route).collect(),
            _ => Vec::new(),
        };
        let (removed, added) = (services(&before), services(&object));
        match object {
            Some(object) => self.resources.insert(object),
            None => self.resources.remove(key),
        };
        // Adding comes first, so that a Service that both versions refer to stays.
        for service in added {
            self.add_reference(service, touched);
        }
        for service in removed {
            self.remove_reference(&service, touched);
        }
        true
    }

    /// Adds a reference to a Service. Returns `true` if the snapshot changes.
    fn add_reference(&mut self, service: NamespacedName, touched: &mut Touched) -> bool {
        self.references.add(service.clone()) && self.refresh_service(&service, touched)
    }

    /// Removes a reference to a Service. Returns `true` if the snapshot changes.
    fn remove_reference(&mut self, service: &NamespacedName, touched: &mut Touched) -> bool {
        self.references.remove(service) && self.refresh_service(service, touched)
    }

    /// Makes a Service with its EndpointSlices part of the snapshot, or removes them. Returns
    /// `true` if the snapshot changes.
    fn refresh_service(&mut self, service: &NamespacedName, touched: &mut Touched) -> bool {
        let mut is_changed = self.invalid.contains_any_of(service);
        for key in self.backends.keys_of_service(service) {
            is_changed |= self.refresh(&key, touched);
        }
        is_changed
    }

    /// Returns the objects that the watch of a scope has found.
    fn keys_within(&self, scope: &Scope) -> BTreeSet<ObjectKey> {
        let states = self.states.keys_within(scope).into_iter();
        states
            .chain(self.backends.keys_within(scope))
            .chain(self.invalid.keys_within(scope))
            .collect()
    }

    pub(super) fn has_listed(&self, scope: &Scope) -> bool {
        self.listed.contains(scope)
    }

    /// Returns the objects of the snapshot.
    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Returns the state of an object to which this source may write.
    pub(super) fn state(&self, key: &ObjectKey) -> Option<&ServerState> {
        self.states.get(key)
    }

    /// Returns `true` for a Service or EndpointSlice that exists, and that this source does not
    /// manage.
    pub(super) fn is_unmanaged(&self, key: &ObjectKey) -> bool {
        self.backends.contains(key)
            || (self.invalid.contains(key) && self.states.get(key).is_none())
    }

    /// Returns the objects to which this source may write.
    pub(super) fn keys(&self) -> impl Iterator<Item = ObjectKey> + '_ {
        self.states.keys()
    }

    /// Returns `true` if the Gateways of a namespace are known.
    pub(super) fn has_listed_gateways(&self, namespace: &NamespaceName) -> bool {
        let scope = |namespace| Scope { kind: ObjectKind::Gateway, namespace };
        self.has_listed(&scope(None)) || self.has_listed(&scope(Some(namespace.clone())))
    }

    /// Returns the Services that this source may manage.
    pub(super) fn managed(&self) -> impl Iterator<Item = ObjectKey> + '_ {
        self.keys_of(ObjectKind::Service)
    }

    pub(super) fn keys_of(&self, kind: ObjectKind) -> impl Iterator<Item = ObjectKey> + '_ {
        self.states.keys_of(kind)
    }

    /// Returns the snapshot to publish. Its problems are those of the objects and `problems`.
    pub(super) fn snapshot(&self, problems: impl Iterator<Item = String>) -> Snapshot {
        let invalid = self.invalid.problems(&self.references);
        Snapshot { resources: self.resources.clone(), problems: invalid.chain(problems).collect() }
    }
}

/// Returns the name of a Service.
fn own_service(key: &ObjectKey) -> Option<NamespacedName> {
    key.namespaced_name().filter(|_| key.kind == ObjectKind::Service)
}
