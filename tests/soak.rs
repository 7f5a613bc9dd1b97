//! Soak test: clients and backends do everything that TCP allows while plans change. Both ends
//! verify every byte. Both ends and the proxy must agree on how each connection ended. At the end
//! no descriptor, task, thread or memory may be left.
//!
//! ```text
//! SOAK_SECONDS=1200 cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! One proxy has one worker, the other one two, or `SOAK_WORKERS`. `SOAK_SEED` repeats the scripts
//! of the run that printed this seed. Timing and the order of events still differ.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "prints statistics")]
#![allow(unreachable_pub, reason = "nothing of a test can be reached")]

#[path = "soak/client.rs"]
mod client;
#[path = "soak/clients.rs"]
mod clients;
#[path = "soak/leftovers.rs"]
mod leftovers;
#[path = "soak/log.rs"]
mod log;
#[path = "soak/payload.rs"]
mod payload;
#[path = "soak/peer.rs"]
mod peer;
#[path = "soak/reload.rs"]
mod reload;
#[path = "soak/run.rs"]
mod run;
#[path = "soak/script.rs"]
mod script;
#[path = "soak/server.rs"]
mod server;
#[path = "soak/setup.rs"]
mod setup;
#[path = "soak/stats.rs"]
mod stats;
#[path = "forward/support/mod.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod support;
#[path = "soak/verify.rs"]
mod verify;

use std::env;
use std::time::Duration;

use run::{Length, Soak};
use script::Measure;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// As long as it is asked to.
#[test]
#[ignore = "runs for SOAK_SECONDS, by default 30"]
fn soak_for_a_given_time() {
    let seconds = number("SOAK_SECONDS").unwrap_or(30);
    let measure = Measure {
        largest: 8 * MIB,
        bulk: (MIB, 6 * MIB),
        pause: Duration::from_millis(200),
        waits: Some(5),
    };
    let soak = Soak {
        seed: seed(),
        measure,
        length: Length::Time(Duration::from_secs(seconds)),
        crowd: 10..=300,
        reload_pause: Duration::from_millis(400),
        drain_timeout: Duration::from_millis(500),
        workers: number("SOAK_WORKERS").map_or(2, |workers| workers as usize),
    };
    soak.run();
}

/// The same in small, always, so that it works when it is wanted.
#[test]
fn soak_of_a_few_seconds() {
    let measure = Measure {
        largest: 128 * KIB,
        bulk: (256 * KIB, MIB),
        pause: Duration::from_millis(10),
        waits: None,
    };
    let soak = Soak {
        seed: seed(),
        measure,
        length: Length::Clients(250),
        crowd: 20..=60,
        reload_pause: Duration::from_millis(20),
        drain_timeout: Duration::from_millis(50),
        workers: 2,
    };
    soak.run();
}

fn seed() -> u64 {
    number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..))
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value} is not a number")))
}
