//! Tests of event loops whose log panics.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use super::mailbox::Command;
use super::worker_in_tests::{Worker, receives, reset};
use crate::forward::outcome::Outcome;

/// A subscriber that panics at the first events about connections that end.
struct Panicking {
    remaining: AtomicUsize,
    /// The subscriber panics in `enabled`, and otherwise in `event`.
    is_filter: bool,
}

impl Panicking {
    /// Calls a function. The first `count` events that its thread logs panic.
    fn during<T>(count: usize, call: impl FnOnce() -> T) -> T {
        let subscriber = Self { remaining: count.into(), is_filter: false };
        tracing::subscriber::with_default(subscriber, call)
    }

    fn panic_if_remaining(&self) {
        let take = |remaining: usize| remaining.checked_sub(1);
        let taken = self.remaining.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        assert!(taken.is_err(), "the subscriber panics, as the test expects");
    }
}

impl Subscriber for Panicking {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_enabled = metadata.target() == "sluicegate::forward::connection"
            && *metadata.level() <= Level::INFO;
        if is_enabled && self.is_filter {
            self.panic_if_remaining();
        }
        is_enabled
    }

    fn event(&self, _: &Event<'_>) {
        self.panic_if_remaining();
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
    // The loop handles the events in this order, and the first one panics.
    reset(lost);
    client.write_all(b"ping").unwrap();
    Panicking::during(1, || worker.turn());
    assert_eq!(worker.counters().ended(Outcome::DownstreamReset), 1);
    assert_eq!(worker.counters().bytes_up, before, "the panic did not prevent the other event");
    worker.recover();
    receives(&mut server, b"ping");
}

/// Only the lost event reports the end, because the read before it returns bytes.
#[test]
fn panic_in_a_turn_loses_no_end_of_other_connections() {
    let mut worker = Worker::new();
    let (lost, _lost_server) = worker.relaying_pair();
    let (mut client, mut server) = worker.relaying_pair();
    reset(lost);
    client.write_all(b"last").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    Panicking::during(1, || worker.turn());
    worker.recover();
    receives(&mut server, b"last");
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
}

#[test]
fn connection_is_counted_and_reset_if_the_filter_of_the_log_panics() {
    let mut worker = Worker::new();
    let (_client, mut server) = worker.relaying_pair();
    let (socket, deadline) = (worker.socket.clone(), Some(Instant::now()));
    worker.mailboxes[0].send(Command::SetDeadline { socket, deadline });
    let filter = Panicking { remaining: 1.into(), is_filter: true };
    tracing::subscriber::with_default(filter, || worker.turn());
    let counters = worker.counters();
    assert_eq!((counters.ended(Outcome::Drained), counters.active()), (1, 0));
    assert_eq!(server.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn panics_in_a_row_lose_no_event_of_other_connections() {
    let mut worker = Worker::new();
    let (first, _first_server) = worker.relaying_pair();
    let (second, _second_server) = worker.relaying_pair();
    let (mut client, mut server) = worker.relaying_pair();
    reset(first);
    reset(second);
    client.write_all(b"ping").unwrap();
    let _waiting = worker.connect();
    // After the first panic, the event queue reports the event of the second connection again.
    Panicking::during(2, || (0..3).for_each(|_| worker.turn()));
    assert_eq!(worker.counters().ended(Outcome::DownstreamReset), 2);
    worker.recover();
    receives(&mut server, b"ping");
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
