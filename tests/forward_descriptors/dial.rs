//! A dial that finds no descriptor.

use std::net::Ipv4Addr;

use sluicegate::forward::{DialFailure, Outcome};
use tokio::io::AsyncReadExt;

use crate::support::events::{record, recorded_of};
use crate::support::peer::{Peer, Reserved};
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
    // The dial timeout is shorter than the wait of a dial for a descriptor.
    let settings = settings(1).with_descriptor_reserve(0);
    let settings = settings.with_dial_timeout(std::time::Duration::from_millis(500));
    let proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&endpoints))])).await;
    let ready = Ready::new();
    let mut files = exhaust();
    // The accepted socket gets this descriptor.
    files.pop();
    let mut client = ready.connect(proxy.address("tcp")).await;
    let read = within("the reset", client.read(&mut [0])).await;
    assert!(is_rejected(&read), "{read:?}");
    drop(files);

    eventually("the connection has ended", || proxy.counters("tcp").active() == 0).await;
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

/// The endpoint has the port of a listener on all interfaces. The engine needs a descriptor to
/// check if this host has the address of the endpoint.
#[test]
fn lack_of_descriptors_is_not_reported_as_loop() {
    run_alone(check_without_descriptor());
}

async fn check_without_descriptor() {
    let reserved = Reserved::on((Ipv4Addr::UNSPECIFIED, 0).into());
    let port = reserved.address.port();
    // 192.0.2.0/24 is for documentation, so no host has an address of it.
    let endpoint = (Ipv4Addr::new(192, 0, 2, 1), port).into();
    let settings = settings(1).with_descriptor_reserve(0);
    let routes = plan([("tcp", reserved.address, to(&[endpoint]))]);
    let proxy = TestForwarder::with(settings, &routes).await;
    let ready = Ready::new();
    let mut files = exhaust();
    // The accepted socket gets this descriptor.
    files.pop();
    // The client can be reset while it connects.
    let _client = ready.0.connect((Ipv4Addr::LOCALHOST, port).into()).await;
    let failed = Outcome::DialFailed(DialFailure::NoDescriptor);
    proxy.ended("tcp", &[(failed, 1)]).await;
    drop(files);
}
