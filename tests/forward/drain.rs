//! Ending: gracefully, then at a deadline.

use std::time::{Duration, Instant};

use sluicegate::forward::Outcome;
use sluicegate::plan::Plan;
use tokio::time::{sleep, timeout};

use crate::support::gate::Gate;
use crate::support::peer::{Backend, Peer};
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::{Stream, refused};
use crate::support::{PATIENCE, within};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_drain_is_over_when_the_last_connection_ends() {
    let (mut gate, backend) = Gate::to_backend().await;
    let address = gate.address("tcp");
    let (mut client, mut server) = gate.talking_pair(&backend).await;
    let draining = tokio::spawn(async move {
        gate.forwarder.drain(10 * PATIENCE).await;
        gate
    });
    refused(address).await;
    assert!(!draining.is_finished());

    // In full, both ways, and to the end.
    client.say("one more").await;
    server.hears("one more").await;
    client.end().await;
    server.hears_end().await;
    server.say("goodbye").await;
    server.end().await;
    client.hears("goodbye").await;
    client.hears_end().await;

    let gate = within("the drain", draining).await.unwrap();
    assert_eq!(gate.counters("tcp").ended(Outcome::Completed), 1);
}

#[tokio::test]
async fn a_drain_resets_what_is_left_at_its_deadline() {
    let (mut gate, backend) = Gate::to_backend().await;
    let (mut client, mut server) = gate.talking_pair(&backend).await;
    let started = Instant::now();
    within("the drain", gate.forwarder.drain(SOON)).await;
    assert!(started.elapsed() >= SOON);
    client.is_reset().await;
    server.is_reset().await;
    gate.ended("tcp", &[(Outcome::Drained, 1)]).await;
}

#[tokio::test]
async fn a_drain_may_be_given_up_and_begun_again() {
    let (mut gate, backend) = Gate::to_backend().await;
    let (mut client, mut server) = gate.talking_pair(&backend).await;
    timeout(Duration::from_millis(20), gate.forwarder.drain(10 * PATIENCE)).await.unwrap_err();
    client.say("still here").await;
    server.hears("still here").await;
    let started = Instant::now();
    within("the drain", gate.forwarder.drain(SOON)).await;
    assert!(started.elapsed() >= SOON);
    client.is_reset().await;
    server.is_reset().await;
}

#[tokio::test]
async fn a_drain_of_nothing_is_over_at_once() {
    let (mut gate, _backend) = Gate::to_backend().await;
    within("the drain", gate.forwarder.drain(10 * PATIENCE)).await;
    within("another drain", gate.forwarder.drain(10 * PATIENCE)).await;
}

/// The time a drain is given counts, not the time that connections of a removed listener get.
#[tokio::test]
async fn a_drain_may_last_longer_than_that_of_a_removed_listener() {
    let backend = Backend::listen().await;
    let settings = settings(1).with_drain_timeout(Duration::ZERO);
    let mut gate = Gate::with(settings, &plan([("tcp", ANY, to(&[backend.address]))])).await;
    let (mut client, mut server) = gate.talking_pair(&backend).await;
    let draining = tokio::spawn(async move { gate.forwarder.drain(Duration::MAX).await });
    for _ in 0..20 {
        sleep(Duration::from_millis(5)).await;
        client.say("here").await;
        server.hears("here").await;
    }
    client.end().await;
    server.end().await;
    within("the drain", draining).await.unwrap();
}

/// A connection of a listener removed earlier does not hold up a drain beyond its deadline, nor
/// does the drain prolong its time.
#[tokio::test]
async fn a_drain_takes_removed_listeners_along() {
    for (removed, drain) in [(10 * PATIENCE, SOON), (SOON, 10 * PATIENCE)] {
        let backend = Backend::listen().await;
        let settings = settings(1).with_drain_timeout(removed);
        let mut gate = Gate::with(settings, &plan([("tcp", ANY, to(&[backend.address]))])).await;
        let (mut client, mut server) = gate.talking_pair(&backend).await;
        gate.apply(&Plan::default()).await;
        within("the drain", gate.forwarder.drain(drain)).await;
        client.is_reset().await;
        server.is_reset().await;
    }
}

#[tokio::test]
async fn after_a_drain_a_plan_can_be_applied_again() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let mut gate = Gate::open(&plan).await;
    within("the drain", gate.forwarder.drain(SOON)).await;
    gate.apply(&plan).await;
    gate.connect("tcp").await.echoes().await;
}

#[tokio::test]
async fn dropping_a_forwarder_ends_everything_at_once() {
    let (gate, backend) = Gate::to_backend().await;
    let address = gate.address("tcp");
    let (mut client, mut server) = gate.talking_pair(&backend).await;
    let counters = gate.forwarder.counters();
    drop(gate);
    client.is_reset().await;
    server.is_reset().await;
    refused(address).await;
    let counters = counters.listeners().into_values().next().unwrap();
    assert_eq!((counters.ended(Outcome::Drained), counters.active()), (1, 0));
}
