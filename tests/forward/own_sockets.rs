//! Endpoints that are listening sockets of this process.

use std::net::{Ipv4Addr, SocketAddr};

use sluicegate::forward::Outcome;
use sluicegate::plan::RejectReason;

use crate::support::peer::{Peer, Reserved};
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::test_forwarder::TestForwarder;

const LOOP: Outcome = Outcome::Rejected(RejectReason::Loop);

/// Without a check, one client would use all descriptors of the process.
#[tokio::test]
async fn route_to_its_own_listener_is_rejected() {
    for ip in [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED] {
        let reserved = Reserved::on((ip, 0).into());
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, reserved.address.port()));
        let plan = plan([("tcp", reserved.address, to(&[endpoint]))]);
        let proxy = TestForwarder::open(&plan).await;
        proxy.resets("tcp").await;
        proxy.ended("tcp", &[(LOOP, 1)]).await;
    }
}

#[tokio::test]
async fn route_to_another_listener_is_rejected_while_that_is_open() {
    let reserved = Reserved::new();
    let routing = || to(&[reserved.address]);
    let both = plan([("tcp", ANY, routing()), ("other", reserved.address, routing())]);
    let mut proxy = TestForwarder::open(&both).await;
    proxy.resets("tcp").await;
    proxy.ended("tcp", &[(LOOP, 1)]).await;
    let mut one = both;
    one.listeners.retain(|id, _| id.listener == "tcp");
    proxy.apply(&one).await;
    proxy.resets("tcp").await;
    assert_eq!(proxy.counters("tcp").ended(LOOP), 1, "no socket listens at the endpoint");
}

#[tokio::test]
async fn route_to_a_socket_of_the_program_is_rejected() {
    let echo = Peer::echo().await;
    let settings = settings(1).with_own_sockets([echo.address]);
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let proxy = TestForwarder::with(settings, &plan).await;
    proxy.resets("tcp").await;
    proxy.ended("tcp", &[(LOOP, 1)]).await;
    assert_eq!(echo.accepted(), 0);
}
