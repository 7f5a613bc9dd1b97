//! The reserve of descriptors: the engine does not use the last numbers before the limit.

use std::fs::{self, File};
use std::os::fd::OwnedFd;

use rustix::io::dup2;
use sluicegate::forward::{DialFailure, Outcome};
use sluicegate::plan::BindErrorKind;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::events::{record, recorded};
use crate::support::eventually;
use crate::support::peer::{Backend, Peer};
use crate::support::plans::{ANY, id, plan, settings, to};
use crate::support::stream::{Stream, whole};
use crate::support::test_forwarder::TestForwarder;
use crate::{LIMIT, Ready, exhaust, fill, run_alone};

/// The default of `Settings::descriptor_reserve`.
const RESERVE: usize = 128;

/// The first number of the reserve.
pub(crate) const END: i32 = LIMIT - RESERVE as i32;

/// Returns the highest number of the open descriptors.
fn highest() -> i32 {
    let list = fs::read_dir("/proc/self/fd").unwrap();
    let numbers: Vec<i32> =
        list.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    // The directory that was read had a number, too. It is closed now.
    let is_open = |number: &i32| fs::read_link(format!("/proc/self/fd/{number}")).is_ok();
    numbers.into_iter().filter(is_open).max().unwrap()
}

/// Resets a connection. A duplicate of `file` replaces its descriptor, so that no number becomes
/// free or used.
fn reset(client: TcpStream, file: &File) -> OwnedFd {
    client.set_zero_linger().unwrap();
    let mut descriptor = OwnedFd::from(client.into_std().unwrap());
    dup2(file, &mut descriptor).unwrap();
    descriptor
}

#[test]
fn reserve_is_left_free_by_connections() {
    run_alone(connections_up_to_the_reserve());
}

async fn connections_up_to_the_reserve() {
    const SERVED: usize = 20;
    const CHANGES: usize = 60;
    record();
    // The backend does not accept, so only the engine has descriptors of connections.
    let backend = Backend::listen().await;
    let plan = plan([("full", ANY, to(&[backend.address]))]);
    let proxy = TestForwarder::with(settings(1), &plan).await;
    let clients: Vec<_> = (0..2 * SERVED + CHANGES).map(|_| Ready::new()).collect();
    let files = fill(END - 2 * SERVED as i32);

    let mut waiting = Vec::new();
    for client in clients {
        waiting.push(client.connect(proxy.address("full")).await);
    }
    let is_full = || proxy.counters("full").active() == SERVED as u64;
    eventually("only these are served", is_full).await;
    eventually("the proxy retries", || proxy.counters("full").accept_errors >= 3).await;
    let warnings = recorded(&id("full"), "cannot accept connections");
    let error = warnings[0].get("error");
    assert!(error.contains("2048") && error.contains("128 are reserved"), "{error}");

    // Each connection that ends frees the descriptors for one other. Clients are served in order.
    let (mut left, mut waiting) = (Vec::new(), waiting.into_iter());
    for (count, client) in (1..=CHANGES).zip(waiting.by_ref()) {
        left.push(reset(client, &files[0]));
        let came = || proxy.counters("full").accepted == (SERVED + count) as u64;
        eventually("the next one is accepted", came).await;
        assert!(is_full());
    }
    // A check has two more descriptors open for a moment.
    eventually("no more are used", || highest() < END).await;
    eventually("the reserve is free", || exhaust().len() == RESERVE).await;
    drop((files, waiting));
}

#[test]
fn reserve_makes_clients_wait_and_resets_none() {
    run_alone(clients_wait_for_others());
}

async fn clients_wait_for_others() {
    const LISTENERS: usize = 20;
    let echo = Peer::echo().await;
    let names: Vec<_> = (0..LISTENERS).map(|number| format!("l{number}")).collect();
    let plan = plan(names.iter().map(|name| (name.as_str(), ANY, to(&[echo.address]))));
    let proxy = TestForwarder::with(settings(2), &plan).await;
    let clients: Vec<_> = (0..8 * LISTENERS).map(|_| Ready::new()).collect();
    let files = fill(END - 50);
    let mut tasks = JoinSet::new();
    for (client, name) in clients.into_iter().zip(names.iter().cycle()) {
        let mut client = client.connect(proxy.address(name)).await;
        tasks.spawn(async move {
            client.echoes().await;
            client.end().await;
            client.receives_end().await;
        });
    }
    // The task of a client that is reset panics.
    tasks.join_all().await;
    for name in &names {
        let counters = proxy.counters(name);
        assert_eq!(counters.accepted, 8);
        assert_eq!(counters.ended(Outcome::DialFailed(DialFailure::NoDescriptor)), 0);
    }
    drop(files);
}

#[test]
fn reserve_is_left_free_by_listeners() {
    run_alone(listeners_up_to_the_reserve());
}

async fn listeners_up_to_the_reserve() {
    let echo = Peer::echo().await;
    let mut proxy = TestForwarder::with(settings(2), &Default::default()).await;
    let files = fill(END - 1);
    let late = plan([("a", ANY, to(&[echo.address])), ("b", ANY, to(&[echo.address]))]);
    proxy.apply(&late).await;
    assert!(proxy.bindings.bound.contains_key(&id("a")));
    let error = &proxy.bindings.errors[&id("b")][0];
    assert_eq!(error.kind, BindErrorKind::NoResources);
    for expected in ["Too many open files", "2048", "128 are reserved"] {
        assert!(error.message.contains(expected), "{}", error.message);
    }
    // The socket of the first listener got the last number.
    assert_eq!(highest(), END - 1);
    drop(files);
    proxy.bindings = proxy.forwarder.retry().await.unwrap().clone();
    proxy.connect("b").await.echoes().await;
}

#[test]
fn reserve_is_left_free_by_pipes() {
    run_alone(bulk_at_the_reserve());
}

async fn bulk_at_the_reserve() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let proxy = TestForwarder::with(settings(1), &plan).await;
    let mut client = proxy.connect("tcp").await;
    client.echoes().await;
    let files = fill(END);
    assert_eq!(whole::exchange(&mut client, 32 << 20).await, 32 << 20);
    // An open pipe would have stayed in the pool for the next connection.
    assert!(highest() < END, "{}", highest());
    drop(files);
}

#[test]
fn reserve_can_be_turned_off() {
    run_alone(connections_without_reserve());
}

async fn connections_without_reserve() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let proxy = TestForwarder::with(settings(1).with_descriptor_reserve(0), &plan).await;
    let _files = fill(END + 1);
    proxy.connect("tcp").await.echoes().await;
}
