//! Whatever clients and backends may do, for as long as asked, while plans change all the time. Every
//! byte is verified by both ends, and every connection's end by both ends and the proxy; and when it
//! is over, nothing may be left.
//!
//! ```text
//! SOAK_SECONDS=1200 cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! `SOAK_SEED` makes clients do what they did in a run that had this seed; when they do it, and what
//! goes on beside them, is another matter.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "figures")]
#![allow(unreachable_pub, reason = "nothing of a test can be reached")]

#[path = "soak/client.rs"]
mod client;
#[path = "soak/crowd.rs"]
mod crowd;
#[path = "soak/end.rs"]
mod end;
#[path = "soak/figures.rs"]
mod figures;
#[path = "soak/judge.rs"]
mod judge;
#[path = "soak/leftovers.rs"]
mod leftovers;
#[path = "soak/log.rs"]
mod log;
#[path = "soak/reload.rs"]
mod reload;
#[path = "soak/run.rs"]
mod run;
#[path = "soak/script.rs"]
mod script;
#[path = "soak/server.rs"]
mod server;
#[path = "soak/stage.rs"]
mod stage;
#[path = "forward/support/mod.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod support;
#[path = "soak/voice.rs"]
mod voice;

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
