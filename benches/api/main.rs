//! The API of a gateway over TLS: lists, durable writes, memory and start with 10,000 objects, and
//! the latency from the answer of a write to the first connection that follows it.
//!
//! `cargo bench --features api --bench api`, or a part of it by name: `-- list`, `-- objects`,
//! `-- follow`. With `cargo test`, each part runs once with a few objects.
//!
//! The gateway with its API is a process of its own: this program, started again. The data folder is
//! in the folder for temporary files; set TMPDIR to measure another file system.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]
#![allow(clippy::print_stdout, reason = "it is for people to read")]

mod client;
#[allow(dead_code, reason = "shared with another benchmark")]
#[path = "../cluster/mod.rs"]
mod cluster;
mod follow;
mod gateway_process;
mod list;
mod objects;
mod stored;
#[path = "../../tests/support/mod.rs"]
mod support;
mod writes;

use std::env;
use std::time::Duration;

/// Sizes of the parts.
#[derive(Clone, Copy)]
struct Scale {
    /// Objects of one kind in the list, and of all kinds in the other part.
    objects: usize,
    /// Repetitions of each list and each start.
    repetitions: usize,
    /// Time for which clients write.
    writing: Duration,
    /// Numbers of routes, and of changes that are followed.
    routes: &'static [usize],
    changes: usize,
}

const MEASURED: Scale = Scale {
    objects: 10_000,
    repetitions: 11,
    writing: Duration::from_secs(5),
    routes: &[10, 1_000, 10_000],
    changes: 100,
};

const TRIED: Scale = Scale {
    objects: 60,
    repetitions: 1,
    writing: Duration::from_millis(50),
    routes: &[10],
    changes: 2,
};

fn main() {
    if gateway_process::serve_if_asked() {
        return;
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let is_measured = arguments.iter().any(|argument| argument == "--bench")
        && !arguments.iter().any(|argument| argument == "--test");
    let scale = if is_measured { MEASURED } else { TRIED };
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| name.contains(wanted.as_str()));
    if is_wanted("list") {
        list::measure(scale);
    }
    if is_wanted("objects") {
        stored::measure(scale);
    }
    if is_wanted("follow") {
        follow::measure(scale);
    }
}

/// Returns the value at a percentage of the sorted values.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
