//! [`Api`]: the server, as one of its clients knows it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sluicegate::api::{Access, ApiService, Role, Settings, Token};
use sluicegate::schema::{EventGroup, convert_event};
use sluicegate::store::WatchScope;
use tokio::sync::watch;
use tokio::time::timeout;

use super::kubectl::Clock;
use super::objects::Objects;
use super::request::Request;
use super::server::{HOST, TOKEN};
use super::state::State;

/// Longer than the longest delay of a retry. It passes at once when all tasks are idle.
const PATIENCE: Duration = Duration::from_secs(600);

/// The server, as one of its clients knows it.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) service: ApiService,
    pub(super) objects: Objects,
    pub(super) state: Arc<watch::Sender<State>>,
    pub(super) clock: Clock,
    pub(super) client: &'static str,
}

impl Api {
    /// Starts a server with the definitions of Gateway API 1.6, and without objects.
    pub(crate) fn new() -> Self {
        let clock = Clock::default();
        let objects = Objects::new(&clock);
        let token: Token = TOKEN.parse().unwrap();
        let access = Access::builder().token("gate", Role::Admin, &token);
        let access = access.host(HOST.parse().unwrap()).build().unwrap();
        // Backends of tests listen on loopback.
        let settings = Settings::new().with_local_endpoints(true);
        let service = ApiService::new(objects.store.clone(), access, settings);
        let state = Arc::new(watch::Sender::new(State::new(objects.clone())));
        Self { service, objects, state, clock, client: "" }
    }

    /// Starts a server with these objects.
    pub(crate) fn with(objects: impl IntoIterator<Item = Value>) -> Self {
        let api = Self::new();
        objects.into_iter().for_each(|object| api.apply(object));
        api
    }

    /// Returns the same server, for a client of this name.
    pub(crate) fn of(&self, client: &'static str) -> Self {
        Self { client, ..self.clone() }
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.borrow())
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    /// Waits until a condition holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let reached = async {
            let mut state = self.state.subscribe();
            let store = &self.objects.store;
            loop {
                // It begins before the check, so that no change is missed.
                let mut changes = store.watch(WatchScope::all(), store.revision()).unwrap();
                if condition(&state.borrow_and_update()) {
                    return;
                }
                tokio::select! {
                    _ = changes.next() => {}
                    changed = state.changed() => changed.unwrap(),
                }
            }
        };
        let is_in_time = timeout(PATIENCE, reached).await.is_ok();
        assert!(
            is_in_time,
            "it never happened that {what}; the requests were {:#?}",
            self.requests()
        );
    }

    /// Waits until an object satisfies a condition.
    pub(crate) async fn until_object(&self, name: &str, condition: impl Fn(&Value) -> bool) {
        let reached = async {
            let (store, key) = (&self.objects.store, self.objects.key(name));
            loop {
                let mut changes =
                    store.watch(WatchScope::resource(key.resource()), store.revision()).unwrap();
                if self.objects.get(name).is_some_and(|object| condition(&object)) {
                    return;
                }
                changes.next().await.unwrap();
            }
        };
        let is_in_time = timeout(PATIENCE, reached).await.is_ok();
        assert!(is_in_time, "{name} stays {:#}", self.get(name));
    }

    /// Returns an object, or null.
    pub(crate) fn get(&self, name: &str) -> Value {
        self.objects.get(name).unwrap_or_default()
    }

    /// Returns the Events, as of the group `events.k8s.io`.
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self.objects.all("events/").map(|(_, mut event)| {
            convert_event(&mut event, EventGroup::Events);
            event
        });
        events.collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.read(|state| state.requests.clone())
    }

    /// Returns the requests that would change something, except those of Events.
    pub(crate) fn writes(&self) -> Vec<Request> {
        self.read(State::writes)
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.change(|state| state.requests.clear());
    }
}
