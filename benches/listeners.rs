//! Many listeners: time to open them, their memory, and the time to apply a change of one of them;
//! and the distribution of connections over workers.
//!
//! `cargo bench --bench listeners`; with `cargo test` everything runs once, with a few listeners.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

#[path = "listeners/forwarder.rs"]
mod forwarder;
#[path = "../tests/forward/support/plans.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod plans;
#[path = "listeners/server.rs"]
mod server;
#[path = "listeners/spread.rs"]
mod spread;
#[path = "../tests/support/mod.rs"]
mod support;

use std::env;
use std::fmt::Display;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for all that is not a listener's.
const OTHER_DESCRIPTORS: usize = 64;

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    listeners: [usize; 2],
    /// How often a change is made.
    changes: usize,
    /// Connections to be spread, and how often.
    spread: [(usize, usize); 3],
}

const MEASURED: Scale =
    Scale { listeners: [1_000, 10_000], changes: 51, spread: [(10, 200), (100, 100), (1_000, 30)] };

const TRIED: Scale = Scale { listeners: [10, 20], changes: 2, spread: [(10, 2), (20, 1), (30, 1)] };

fn main() {
    let is_bench = env::args().any(|argument| argument == "--bench");
    let is_test = env::args().any(|argument| argument == "--test");
    let scale = if is_bench && !is_test { MEASURED } else { TRIED };
    let descriptors = raise_descriptors();
    if forwarder::is_row() {
        return;
    }
    forwarder::measure(scale, descriptors);
    server::measure(scale, descriptors);
    spread::measure(scale);
}

/// As many descriptors as the system lets this process have.
fn raise_descriptors() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.and_then(|maximum| usize::try_from(maximum).ok()).unwrap_or(usize::MAX)
}

/// As many listeners as there may be: each takes a descriptor for each worker.
fn possible(listeners: usize, workers: usize, descriptors: usize) -> usize {
    listeners.min((descriptors - OTHER_DESCRIPTORS) / workers)
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

fn row(cells: &[&dyn Display]) {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>11}")).collect();
    println!("{}", cells.join("  "));
}
