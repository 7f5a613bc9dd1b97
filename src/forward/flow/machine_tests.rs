//! Tests of connections in a simulated network.

use std::time::Duration;

use fastrand::Rng;

use super::proxy_in_tests::Proxy;
use super::side::Side;
use crate::forward::outcome::Outcome;

/// Variables with the number of random connections, and with the seed of the first one.
const CONNECTIONS: &str = "SLUICEGATE_CONNECTIONS";
const SEED: &str = "SLUICEGATE_SEED";

/// Number of random connections if the variable is not set.
const DEFAULT_CONNECTIONS: u64 = 100_000;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Performs a random event: a peer acts, an event is delivered, or time passes.
fn perform_random_event(proxy: &mut Proxy, random: &mut Rng) {
    let side = if random.bool() { Side::Downstream } else { Side::Upstream };
    let sizes = [1, 64, 4_096, 16_384, 40_000, 400_000];
    let size = sizes[random.usize(..sizes.len())];
    let is_peer = side == Side::Downstream || proxy.is_connected;
    let peer = if side == Side::Downstream { &mut proxy.client } else { &mut proxy.backend };
    match random.u8(..40) {
        0..10 if is_peer => peer.send(size),
        10..16 if is_peer => peer.take(size),
        16 if is_peer => peer.end(),
        17 if is_peer => peer.send_urgent(),
        18 if is_peer && random.u8(..4) == 0 => peer.reset(),
        19 => proxy.pass_time(Duration::from_millis(random.u64(..4_000)), random),
        20..23 => proxy.resume(random),
        23 => proxy.lose_event(side, random),
        24..27 if is_peer => peer.fetch_event(),
        _ => proxy.deliver(side, random),
    }
}

/// Lets the peers send their ends and take all bytes, until the connection has ended.
fn finish(proxy: &mut Proxy, random: &mut Rng) {
    for _ in 0..200_000 {
        if proxy.outcome.is_some() {
            return;
        }
        proxy.client.end();
        proxy.client.take(usize::MAX);
        if proxy.is_connected {
            proxy.backend.end();
            proxy.backend.take(usize::MAX);
        }
        Side::BOTH.into_iter().for_each(|side| proxy.deliver(side, random));
        proxy.resume(random);
        proxy.pass_time(Duration::from_millis(10), random);
    }
    panic!("the connection does not end: {proxy:#?}");
}

fn check_end(proxy: &Proxy) {
    let Proxy { client, backend, outcome, .. } = proxy;
    assert!(backend.got <= client.sent && client.got <= backend.sent, "{proxy:#?}");
    match outcome.unwrap() {
        Outcome::Completed => {
            assert_eq!((backend.got, client.got), (client.sent, backend.sent), "{proxy:#?}");
            assert!(client.has_ended && backend.has_ended, "{proxy:#?}");
        }
        Outcome::DownstreamReset => assert!(client.is_reset, "{proxy:#?}"),
        Outcome::UpstreamReset => {
            assert!(backend.is_reset, "{proxy:#?}");
            // The client gets all bytes that the backend sent before its reset.
            assert!(client.is_reset || client.got == backend.sent, "{proxy:#?}");
        }
        Outcome::DialFailed(_) | Outcome::Rejected(_) => assert!(!proxy.is_connected),
        Outcome::DialLimit | Outcome::Drained => panic!("not an outcome of a flow"),
    }
}

/// Returns a proxy whose connection is established.
fn connected(random: &mut Rng) -> Proxy {
    loop {
        let mut proxy = Proxy::new();
        proxy.run(random);
        proxy.deliver(Side::Upstream, random);
        if proxy.is_connected {
            return proxy;
        }
    }
}

#[test]
fn busy_direction_does_not_starve_the_other() {
    let mut random = Rng::with_seed(1);
    for busy in Side::BOTH {
        let mut proxy = connected(&mut random);
        Side::BOTH.into_iter().for_each(|side| proxy.deliver(side, &mut random));
        for turn in 1..=3 {
            let (from, to) = match busy {
                Side::Downstream => (&mut proxy.client, &mut proxy.backend),
                Side::Upstream => (&mut proxy.backend, &mut proxy.client),
            };
            from.send(10_000_000);
            to.send(1);
            to.take(usize::MAX);
            // The busy side takes every write of the proxy at once.
            to.takes_all_at_once = true;
            Side::BOTH.into_iter().for_each(|side| proxy.deliver(side, &mut random));
            assert!(proxy.is_yielding());
            let got = match busy {
                Side::Downstream => proxy.client.got,
                Side::Upstream => proxy.backend.got,
            };
            assert_eq!(got, turn, "{busy:?} is busy");
            proxy.resume(&mut random);
        }
    }
}

#[test]
fn events_of_one_turn_share_a_budget() {
    let mut random = Rng::with_seed(1);
    let mut proxy = connected(&mut random);
    proxy.backend.takes_all_at_once = true;
    proxy.client.send(10_000_000);
    proxy.deliver(Side::Downstream, &mut random);
    assert!(proxy.is_yielding());
    let carried = proxy.backend.got;
    proxy.client.send(1);
    proxy.deliver(Side::Downstream, &mut random);
    assert_eq!(proxy.backend.got, carried);
    proxy.resume(&mut random);
    assert!(proxy.backend.got > carried);
}

#[test]
fn random_orders_of_events_lose_nothing() {
    let first = number(SEED, 0);
    for seed in first..first + number(CONNECTIONS, DEFAULT_CONNECTIONS) {
        let outcome = std::panic::catch_unwind(|| {
            let mut random = Rng::with_seed(seed);
            let mut proxy = Proxy::new();
            proxy.run(&mut random);
            for _ in 0..random.usize(..120) {
                perform_random_event(&mut proxy, &mut random);
            }
            // With all events delivered, nothing may be left to do.
            for _ in 0..4 {
                Side::BOTH.into_iter().for_each(|side| proxy.deliver(side, &mut random));
                while proxy.is_yielding() {
                    proxy.resume(&mut random);
                }
            }
            proxy.assert_not_stuck();
            finish(&mut proxy, &mut random);
            check_end(&proxy);
        });
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
