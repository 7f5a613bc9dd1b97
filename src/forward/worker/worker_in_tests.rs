//! A worker for tests, which performs its turns one by one.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::Events;
use socket2::SockRef;

use super::event_loop::EventLoop;
use super::mailbox::{Command, Mailbox};
use crate::forward::bind::BACKLOG;
use crate::forward::counters::{Counters, ListenerCounters};
use crate::forward::engine::Engine;
use crate::forward::listener::{ListenerState, ListeningSocket, SharedListener};
use crate::forward::route_table::RouteTable;
use crate::forward::settings::Settings;
use crate::plan::{BackendId, BackendPlan, Endpoint, ListenerId, RouteId, RoutePlan, Share};

/// Timeout of a read. Only failing tests reach it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of turns until something is done. Only failing tests reach it.
const MAX_TURNS: usize = 10_000;

/// A worker without a thread, with one listener and one backend.
pub(super) struct Worker {
    pub(super) event_loop: EventLoop,
    events: Events,
    pub(super) mailboxes: Arc<[Mailbox]>,
    pub(super) counters: Counters,
    pub(super) listener: ListenerId,
    address: SocketAddr,
    pub(super) socket: Weak<ListeningSocket>,
    backend: TcpListener,
}

impl Worker {
    pub(super) fn new() -> Self {
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
    pub(super) fn turn(&mut self) {
        // The command ends the wait if there is no event.
        self.mailboxes[0].send(Command::Retry);
        self.event_loop.run_turn(&mut self.events);
    }

    /// Performs the turn after a panic, and the one with the events that are reported again.
    pub(super) fn recover(&mut self) {
        (0..2).for_each(|_| self.turn());
    }

    pub(super) fn turn_until(&mut self, what: &str, is_done: impl Fn(&ListenerCounters) -> bool) {
        for _ in 0..MAX_TURNS {
            if is_done(&self.counters()) {
                return;
            }
            self.turn();
        }
        panic!("{what}: {:?}", self.counters());
    }

    pub(super) fn counters(&self) -> ListenerCounters {
        self.counters.listener(&self.listener).unwrap()
    }

    pub(super) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Returns both ends of a connection that has relayed a byte.
    pub(super) fn relaying_pair(&mut self) -> (TcpStream, TcpStream) {
        let mut client = self.connect();
        client.write_all(b"1").unwrap();
        let before = self.counters().bytes_up;
        self.turn_until("the byte is relayed", |counters| counters.bytes_up > before);
        let (mut server, _) = self.backend.accept().unwrap();
        server.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        receives(&mut server, b"1");
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
pub(super) fn receives(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, expected);
}

pub(super) fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}
