//! The event that the forwarder logs at the end of each connection. Each client connects from a
//! source address of its own, which identifies its event.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, Once};

use sluicegate::forward::Outcome;
use tokio::sync::oneshot;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static AWAITED: Mutex<Option<HashMap<IpAddr, oneshot::Sender<Ending>>>> = Mutex::new(None);
static STRAY: Mutex<Vec<Ending>> = Mutex::new(Vec::new());

/// The event at the end of a connection.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    pub listener: String,
    /// The [`label`] of the outcome.
    pub outcome: String,
    reason: Option<Box<str>>,
    pub endpoint: Option<SocketAddr>,
    pub bytes_up: u64,
    pub bytes_down: u64,
    downstream: Option<SocketAddr>,
}

/// Returns the name of an outcome: its label and, if a dial failed, the cause.
pub fn label(outcome: Outcome) -> String {
    match (outcome, outcome.reason()) {
        (Outcome::DialFailed(_), Some(cause)) => format!("{outcome}: {cause}"),
        _ => outcome.to_string(),
    }
}

/// The address from which a client connects; all of 127.0.0.0/8 is this host's.
pub fn address(number: u64) -> Ipv4Addr {
    let [.., a, b, c] = (number + (1 << 16)).to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}

/// Listens to the proxies from now on.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    *AWAITED.lock().unwrap() = Some(HashMap::new());
    STRAY.lock().unwrap().clear();
}

/// What will be said of a client's connection.
pub fn expect(number: u64) -> oneshot::Receiver<Ending> {
    let (sender, receiver) = oneshot::channel();
    let mut awaited = AWAITED.lock().unwrap();
    awaited.as_mut().unwrap().insert(address(number).into(), sender);
    receiver
}

/// Of this client nothing will be said.
pub fn forget(number: u64) {
    AWAITED.lock().unwrap().as_mut().unwrap().remove(&IpAddr::from(address(number)));
}

/// What was said of connections that no client had, or that had ended already.
pub fn strays() -> Vec<Ending> {
    STRAY.lock().unwrap().clone()
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sluicegate") && *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut ending = Ending::default();
        event.record(&mut ending);
        if ending.outcome.is_empty() {
            return;
        }
        if ending.outcome == "dial_failed" {
            ending.outcome = format!("dial_failed: {}", ending.reason.take().unwrap_or_default());
        }
        let client = ending.downstream.map(|client| client.ip());
        let sender = client.and_then(|client| {
            AWAITED.lock().unwrap().as_mut().and_then(|all| all.remove(&client))
        });
        match sender {
            // A client that has failed does not wait any more.
            Some(sender) => drop(sender.send(ending)),
            None => STRAY.lock().unwrap().push(ending),
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Ending {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "bytes_up" => self.bytes_up = value,
            "bytes_down" => self.bytes_down = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "outcome" => self.outcome = value.to_owned(),
            "reason" => self.reason = Some(value.into()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "listener" => self.listener = format!("{value:?}"),
            "endpoint" => self.endpoint = format!("{value:?}").parse().ok(),
            "downstream" => self.downstream = format!("{value:?}").parse().ok(),
            _ => {}
        }
    }
}
