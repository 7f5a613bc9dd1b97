//! Tests of the turns of an event loop.

use std::io::{ErrorKind, Read as _, Write as _};

use super::worker_in_tests::{Worker, receives};
use crate::forward::flow;

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
        receives(&mut server, b"ping");
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
        receives(&mut server, b"ping");
        let carried = worker.counters().bytes_up - before;
        // The last move of a turn begins below the budget, and has at most its size.
        assert!(carried < 2 * BUDGET + 4, "{carried} bytes in one turn");
        repeat(|| bulk_server.read(&mut buffer));
    }
    let carried = worker.counters().bytes_up - start;
    assert!(carried > TURNS / 2 * BUDGET, "the budget was never used up: {carried} bytes");
}
