//! Tests of an event loop whose turns the test performs one by one.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use mio::Events;
use socket2::SockRef;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::event_loop::EventLoop;
use super::mailbox::{Command, Mailbox};
use crate::forward::bind::BACKLOG;
use crate::forward::counters::{Counters, ListenerCounters};
use crate::forward::engine::Engine;
use crate::forward::flow;
use crate::forward::listener::{ListenerState, ListeningSocket, SharedListener};
use crate::forward::outcome::Outcome;
use crate::forward::route_table::RouteTable;
use crate::forward::settings::Settings;
use crate::plan::{BackendId, BackendPlan, Endpoint, ListenerId, RouteId, RoutePlan, Share};

/// Timeout of a read. Only failing tests reach it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of turns until something is done. Only failing tests reach it.
const MAX_TURNS: usize = 10_000;

/// A worker without a thread, with one listener and one backend.
struct Worker {
    event_loop: EventLoop,
    events: Events,
    mailboxes: Arc<[Mailbox]>,
    counters: Counters,
    listener: ListenerId,
    address: SocketAddr,
    socket: Weak<ListeningSocket>,
    backend: TcpListener,
}

impl Worker {
    fn new() -> Self {
        let settings = Settings::default()
            .with_workers(NonZeroUsize::MIN)
            .with_dials_per_backend(NonZeroUsize::new(64));
        let engine = Arc::new(Engine::new(settings).unwrap());
        let (mailbox, commands, poll) = Mailbox::new().unwrap();
        let mailboxes: Arc<[Mailbox]> = [mailbox].into();
        let event_loop = EventLoop::new(0, engine, mailboxes.clone(), commands, poll).unwrap();

        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (backend, socket) = (listen(), listen());
        socket.set_nonblocking(true).unwrap();
        SockRef::from(&socket).listen(BACKLOG).unwrap();
        let address = socket.local_addr().unwrap();
        let listener: ListenerId = "default/edge/tcp".parse().unwrap();
        let counters = Counters::new(1);
        counters.add(&listener);
        let (listening, _finished) = ListeningSocket::new(address);
        let weak = Arc::downgrade(&listening);
        let state = ListenerState::new(
            listener.clone(),
            Some(RouteTable::new(0).acquire(&route_to(backend.local_addr().unwrap()))),
            counters.shards(&listener).unwrap(),
            listening,
        );
        mailboxes[0].listen(0, socket, Arc::new(SharedListener::new(state))).unwrap();
        let events = Events::with_capacity(256);
        Self { event_loop, events, mailboxes, counters, listener, address, socket: weak, backend }
    }

    /// Performs a turn with the events so far.
    fn turn(&mut self) {
        // So that it does not wait if there is no event.
        self.mailboxes[0].send(Command::Retry);
        self.event_loop.run_turn(&mut self.events);
    }

    fn turn_until(&mut self, what: &str, is_done: impl Fn(&ListenerCounters) -> bool) {
        for _ in 0..MAX_TURNS {
            if is_done(&self.counters()) {
                return;
            }
            self.turn();
        }
        panic!("{what}: {:?}", self.counters());
    }

    fn counters(&self) -> ListenerCounters {
        self.counters.listener(&self.listener).unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Returns both ends of a connection that has relayed a byte.
    fn relaying_pair(&mut self) -> (TcpStream, TcpStream) {
        let mut client = self.connect();
        client.write_all(b"1").unwrap();
        let before = self.counters().bytes_up;
        self.turn_until("the byte is relayed", |counters| counters.bytes_up > before);
        let (mut server, _) = self.backend.accept().unwrap();
        server.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        hears(&mut server, b"1");
        (client, server)
    }
}

fn route_to(endpoint: SocketAddr) -> Arc<RoutePlan> {
    let id = BackendId::new("default/backend".parse().unwrap(), None);
    let backend = BackendPlan::new(id, [Endpoint::new(endpoint)]);
    let route = RouteId::tcp("default/route".parse().unwrap());
    Arc::new(RoutePlan::new(route, vec![Share::new(1, Arc::new(backend))]))
}

/// Asserts that the bytes come without a further turn.
fn hears(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, expected);
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn burst_of_clients_does_not_delay_open_connections() {
    const CLIENTS: usize = 400;
    const ACCEPTS: u64 = 16;
    let mut worker = Worker::new();
    let (mut client, mut server) = worker.relaying_pair();
    let _clients: Vec<_> = (0..CLIENTS).map(|_| worker.connect()).collect();
    for turn in 1..=3 {
        client.write_all(b"ping").unwrap();
        worker.turn();
        hears(&mut server, b"ping");
        assert_eq!(worker.counters().accepted, 1 + turn * ACCEPTS);
    }
}

/// Reads or writes until the call would block.
fn repeat(mut call: impl FnMut() -> std::io::Result<usize>) {
    loop {
        match call() {
            Ok(count) => assert_ne!(count, 0, "the connection has ended"),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
}

/// A connection with bulk has several events in a turn, and continues from earlier turns.
#[test]
fn bulk_has_one_budget_in_each_turn() {
    const BUDGET: u64 = flow::BUDGET as u64;
    const TURNS: u64 = 100;
    let mut worker = Worker::new();
    let (mut client, mut server) = worker.relaying_pair();
    let (mut bulk_client, mut bulk_server) = worker.relaying_pair();
    bulk_client.set_nonblocking(true).unwrap();
    bulk_server.set_nonblocking(true).unwrap();
    let (data, mut buffer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let start = worker.counters().bytes_up;
    for _ in 0..TURNS {
        repeat(|| bulk_client.write(&data));
        let before = worker.counters().bytes_up;
        client.write_all(b"ping").unwrap();
        worker.turn();
        hears(&mut server, b"ping");
        let carried = worker.counters().bytes_up - before;
        // The last move of a turn begins below the budget, and has at most its size.
        assert!(carried < 2 * BUDGET + 4, "{carried} bytes in one turn");
        repeat(|| bulk_server.read(&mut buffer));
    }
    let carried = worker.counters().bytes_up - start;
    assert!(carried > TURNS / 2 * BUDGET, "the budget was never used up: {carried} bytes");
}

/// A subscriber that panics for the first events of connections that end.
struct Panicking {
    remaining: AtomicUsize,
}

impl Panicking {
    /// Calls a function on whose thread the first `count` events panic.
    fn during<T>(count: usize, call: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(Self { remaining: count.into() }, call)
    }
}

impl Subscriber for Panicking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sluicegate::forward::connection" && *metadata.level() <= Level::INFO
    }

    fn event(&self, _: &Event<'_>) {
        let take = |remaining: usize| remaining.checked_sub(1);
        let taken = self.remaining.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        assert!(taken.is_err(), "the subscriber panics, as the test expects");
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn panic_in_a_turn_loses_no_event_of_other_connections() {
    let mut worker = Worker::new();
    let (lost, _lost_server) = worker.relaying_pair();
    let (mut client, mut server) = worker.relaying_pair();
    let before = worker.counters().bytes_up;
    // The events come in this order, and the first one panics.
    reset(lost);
    client.write_all(b"ping").unwrap();
    Panicking::during(1, || worker.turn());
    assert_eq!(worker.counters().ended(Outcome::DownstreamReset), 1);
    assert_eq!(worker.counters().bytes_up, before, "the panic did not prevent the other event");
    worker.turn();
    hears(&mut server, b"ping");
}

#[test]
fn panics_during_a_recovery_lose_no_event_of_other_connections() {
    let mut worker = Worker::new();
    let (first, _first_server) = worker.relaying_pair();
    let (second, _second_server) = worker.relaying_pair();
    let (mut client, mut server) = worker.relaying_pair();
    reset(first);
    reset(second);
    client.write_all(b"ping").unwrap();
    let _waiting = worker.connect();
    // The panic of the second connection comes in the turn after the first one.
    Panicking::during(2, || (0..2).for_each(|_| worker.turn()));
    assert_eq!(worker.counters().ended(Outcome::DownstreamReset), 2);
    worker.turn();
    hears(&mut server, b"ping");
    assert_eq!(worker.counters().accepted, 4);
}

#[test]
fn drain_deadline_ends_all_connections_despite_panics() {
    let mut worker = Worker::new();
    let _pairs: Vec<_> = (0..3).map(|_| worker.relaying_pair()).collect();
    let (socket, deadline) = (worker.socket.clone(), Some(Instant::now()));
    worker.mailboxes[0].send(Command::SetDeadline { socket, deadline });
    Panicking::during(2, || (0..3).for_each(|_| worker.turn()));
    assert_eq!(worker.counters().ended(Outcome::Drained), 3);
}

#[test]
fn stop_ends_all_connections_despite_panics() {
    let mut worker = Worker::new();
    let _pairs: Vec<_> = (0..3).map(|_| worker.relaying_pair()).collect();
    worker.mailboxes[0].send(Command::Stop);
    let Worker { event_loop, counters, listener, .. } = worker;
    Panicking::during(2, || event_loop.run());
    assert_eq!(counters.listener(&listener).unwrap().ended(Outcome::Drained), 3);
}
