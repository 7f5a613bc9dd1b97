//! A dial that finds no descriptor.

use sluicegate::forward::{DialFailure, Outcome};
use tokio::io::AsyncReadExt;

use crate::support::events::{record, recorded_of};
use crate::support::peer::Peer;
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::is_rejected;
use crate::support::test_forwarder::TestForwarder;
use crate::support::{eventually, within};
use crate::{Ready, exhaust, run_alone};

#[test]
fn lack_of_descriptors_does_not_mark_the_endpoint() {
    run_alone(dial_without_descriptor());
}

async fn dial_without_descriptor() {
    record();
    let peers = [Peer::echo().await, Peer::echo().await];
    let endpoints = peers.each_ref().map(|peer| peer.address);
    // Shorter than the time for which a dial waits for a descriptor.
    let settings = settings(1).with_descriptor_reserve(0);
    let settings = settings.with_dial_timeout(std::time::Duration::from_millis(500));
    let proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&endpoints))])).await;
    let ready = Ready::new();
    let mut hoard = exhaust();
    // The accepted socket takes this one.
    hoard.pop();
    let mut client = ready.connect(proxy.address("tcp")).await;
    let read = within("the reset", client.read(&mut [0])).await;
    assert!(is_rejected(&read), "{read:?}");
    drop(hoard);

    eventually("ended", || proxy.counters("tcp").active() == 0).await;
    let counters = proxy.counters("tcp");
    assert_eq!(counters.ended(Outcome::DialFailed(DialFailure::NoDescriptor)), 1, "{counters:?}");
    assert_eq!(counters.dial_attempts, 1);
    let warnings = |message| -> usize {
        let of = |endpoint: &std::net::SocketAddr| {
            recorded_of("endpoint", &endpoint.to_string(), message).len()
        };
        endpoints.iter().map(of).sum()
    };
    assert_eq!((warnings("endpoint failed"), warnings("cannot dial")), (0, 1));
}
