//! A fake Kubernetes API server, with the parts that the source uses.
//!
//! Objects are JSON, with names such as `tcproutes/default/r` or `gatewayclasses/c`. A test
//! creates, changes and deletes objects as kubectl does, inspects the requests, and injects faults.

mod answer;
mod discovery;
mod faults;
mod request;
mod rule;
mod service;
mod store;
mod stream;
mod write;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

pub(crate) use self::request::Request;
pub(crate) use self::rule::Effect;
use self::rule::{Mutation, Rule};
use self::store::Store;

/// Longer than anything that is tried again waits. It passes at once when nothing else is left to
/// do.
const PATIENCE: Duration = Duration::from_secs(600);

/// Which definitions of Gateway API are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installed {
    Nothing,
    /// Before 1.6: TCPRoute is there as `v1alpha2` only, ReferenceGrant as `v1beta1`.
    Before16,
    /// TCPRoute is there as `v1` and as `v1alpha2`.
    Both,
}

/// The server, as one of its clients knows it.
#[derive(Clone)]
pub(crate) struct Api {
    state: Arc<watch::Sender<State>>,
    client: &'static str,
}

/// All there is to know of it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) requests: Vec<Request>,
    /// The watches that are open.
    pub(crate) streams: Vec<String>,
    /// The requests that were given up before there was an answer.
    pub(crate) given_up: Vec<Request>,
    installed: Installed,
    bundle: Option<String>,
    minor: &'static str,
    is_down: bool,
    rules: Vec<Rule>,
    mutations: Vec<Mutation>,
    /// Watches of these that were opened before so many closings are to end.
    closings: Vec<String>,
    /// The kinds whose open watches were silenced, one entry for each call of `silence`. A watch
    /// sends nothing more if its kind was added after the watch was opened.
    silences: Vec<String>,
    /// Objects, with the plural of their kind, that are deleted during each list that is streamed.
    gone: Vec<(String, Value)>,
}

impl Api {
    /// A server with the definitions of Gateway API 1.6, and without objects.
    pub(crate) fn new() -> Self {
        let state = State {
            store: Store::default(),
            requests: Vec::new(),
            streams: Vec::new(),
            given_up: Vec::new(),
            installed: Installed::Both,
            bundle: Some("v1.6.3".to_owned()),
            minor: "37",
            is_down: false,
            rules: Vec::new(),
            mutations: Vec::new(),
            closings: Vec::new(),
            silences: Vec::new(),
            gone: Vec::new(),
        };
        Self { state: Arc::new(watch::Sender::new(state)), client: "" }
    }

    /// A server with these objects.
    pub(crate) fn with(objects: impl IntoIterator<Item = Value>) -> Self {
        let api = Self::new();
        objects.into_iter().for_each(|object| api.apply(object));
        api
    }

    /// The same server, for a client of this name.
    pub(crate) fn of(&self, client: &'static str) -> Self {
        Self { client, ..self.clone() }
    }

    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let api = api.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                let request = Request::new(api.client, &head, &body);
                api.serve(request).await
            }
        });
        Client::new(service, "default")
    }

    async fn serve(&self, request: Request) -> io::Result<answer::Answer> {
        let refused = || Err(io::Error::from(io::ErrorKind::ConnectionRefused));
        if self.read(|state| state.is_down) {
            return refused();
        }
        self.change(|state| state.requests.push(request.clone()));
        let mut waiting = Waiting { api: self, request: Some(request.clone()) };
        let mut state = self.state.subscribe();
        let is_free = |state: &State| state.is_down || !state.is_held(&request);
        state.wait_for(is_free).await.expect("the server is there");
        waiting.request = None;
        let mut spoiled = None;
        self.change(|state| spoiled = state.spoil(&request));
        match spoiled {
            _ if self.read(|state| state.is_down) => refused(),
            Some(Effect::Refuse(code)) => Ok(answer::refuse(code, &request)),
            Some(Effect::ExceedQuota) => Ok(answer::exceed_quota(&request)),
            Some(Effect::Break) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Effect::Flaky) => {
                flaky_network().await?;
                let answer = self.answer(&request);
                flaky_network().await?;
                Ok(answer)
            }
            Some(Effect::Lose) => {
                waiting.request = Some(request);
                std::future::pending().await
            }
            Some(Effect::Stall) => Ok(answer::without_end()),
            Some(Effect::Hold) | None => Ok(self.answer(&request)),
        }
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.borrow())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    /// Waits until a condition holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let mut state = self.state.subscribe();
        let is_in_time = timeout(PATIENCE, state.wait_for(|state| condition(state))).await.is_ok();
        assert!(is_in_time, "it never happened that {what}; asked was {:#?}", self.requests());
    }

    /// Waits until an object satisfies a condition.
    pub(crate) async fn until_object(&self, name: &str, condition: impl Fn(&Value) -> bool) {
        let mut state = self.state.subscribe();
        let holds = |state: &State| state.store.get(name).is_some_and(&condition);
        let is_in_time = timeout(PATIENCE, state.wait_for(holds)).await.is_ok();
        assert!(is_in_time, "{name} stays {:#}", self.get(name));
    }
}

/// Delays a message, or loses it.
async fn flaky_network() -> io::Result<()> {
    sleep(Duration::from_millis(fastrand::u64(0..4_000))).await;
    if fastrand::u8(0..4) == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
}

/// Somebody who waits for an answer.
struct Waiting<'a> {
    api: &'a Api,
    request: Option<Request>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.api.change(|state| state.given_up.push(request));
        }
    }
}

/// What kubectl does.
impl Api {
    /// Creates an object, or changes it; its status stays.
    pub(crate) fn apply(&self, object: Value) {
        self.change(|state| state.store.apply(object));
    }

    /// Changes what there is of an object, beside its status.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.get(name);
        change(&mut object);
        self.apply(object);
    }

    /// Deletes an object, as far as its finalizers let it go.
    pub(crate) fn delete(&self, name: &str) {
        self.change(|state| state.store.delete(name));
    }

    /// Somebody else writes an object's status.
    pub(crate) fn set_status(&self, name: &str, status: Value) {
        self.change(|state| state.store.set_status(name, status));
    }

    /// Another client sets the finalizers of an object.
    pub(crate) fn set_finalizers(&self, name: &str, finalizers: Value) {
        let patch = serde_json::json!({ "finalizers": finalizers });
        self.change(|state| state.store.patch_metadata(name, &patch));
    }

    pub(crate) fn get(&self, name: &str) -> Value {
        self.read(|state| state.store.get(name).cloned()).unwrap_or_default()
    }
}

/// What was asked.
impl Api {
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.read(|state| state.requests.clone())
    }

    /// The requests that would change something, Events apart.
    pub(crate) fn writes(&self) -> Vec<Request> {
        self.read(State::writes)
    }

    /// The events that were published.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.read(|state| state.store.all("events/").map(|(_, event)| event.clone()).collect())
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.change(|state| state.requests.clear());
    }
}

impl State {
    pub(crate) fn writes(&self) -> Vec<Request> {
        let is_write = |request: &&Request| request.is_write() && request.plural != "events";
        self.requests.iter().filter(is_write).cloned().collect()
    }

    /// How many requests of a verb there were for a kind.
    pub(crate) fn count(&self, verb: &str, plural: &str) -> usize {
        let is_one = |request: &&Request| request.verb == verb && request.plural == plural;
        self.requests.iter().filter(is_one).count()
    }
}
