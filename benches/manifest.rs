//! Time to read a manifest, as the number of its objects grows.
//!
//! `cargo bench --bench manifest`, or a part of it by name: `-- faulty`. With `-- --test` each part
//! runs once at its smallest size, and nothing is measured.
//!
//! Twice the input must take at most 2.5 times as long. The program fails if it takes longer. The
//! times are CPU times on Linux, so that other programs on the machine do not count.
#![allow(clippy::print_stdout, reason = "it is for people to read")]

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sluicegate::model::manifest::{Content, Entry, read};

const SIZES: [usize; 4] = [10_000, 20_000, 40_000, 80_000];
const MAX_RATIO: f64 = 2.5;
/// Runs of each size. The fastest one counts.
const RUNS: usize = 5;
/// Minimum CPU time of a run. The kernel counts CPU time in steps of up to 10 ms.
const MIN_RUN: Duration = Duration::from_millis(100);

/// Shape of an input.
struct Shape {
    name: &'static str,
    /// Returns an input with this number of objects, fields or levels.
    input: fn(usize) -> String,
    /// Returns `true` for the entries that reading the input must give.
    check: fn(usize, &[Entry]) -> bool,
}

const SHAPES: [Shape; 11] = [
    Shape { name: "valid documents", input: valid_documents, check: all_valid },
    Shape { name: "valid items", input: valid_items, check: all_valid },
    Shape { name: "valid JSON objects", input: valid_json, check: all_valid },
    Shape { name: "faulty documents", input: faulty_documents, check: all_invalid },
    Shape { name: "faulty items", input: faulty_items, check: all_invalid },
    Shape { name: "faulty syntax", input: faulty_syntax, check: all_invalid },
    Shape { name: "faulty fields of one object", input: faulty_fields, check: one_invalid },
    Shape { name: "faulty keys of one object", input: faulty_keys, check: one_invalid },
    Shape { name: "ports of one Service", input: ports, check: one_valid },
    Shape { name: "listeners of one Gateway", input: listeners, check: one_invalid },
    Shape { name: "deep nesting", input: deep_nesting, check: one_invalid },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let is_measured = arguments.iter().any(|argument| argument == "--bench")
        && !arguments.iter().any(|argument| argument == "--test");
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let sizes = if is_measured { &SIZES[..] } else { &SIZES[..1] };

    if is_measured {
        println!(
            "CPU milliseconds to read a manifest with this number of objects; the largest ratio"
        );
        println!("{:28} {}   ratio", "", SIZES.map(|size| format!("{size:>9}")).join(" "));
    }
    let mut is_linear = true;
    for shape in SHAPES {
        if wanted.is_some_and(|wanted| !shape.name.contains(wanted.as_str())) {
            continue;
        }
        let times = measure(&shape, sizes, is_measured);
        if is_measured {
            let ratio = times
                .windows(2)
                .map(|pair| pair[1].as_secs_f64() / pair[0].as_secs_f64())
                .fold(0.0, f64::max);
            let columns: Vec<_> =
                times.iter().map(|time| format!("{:9.1}", time.as_secs_f64() * 1e3)).collect();
            // Below 1 ms, the caches decide the ratio.
            let is_measurable = times.last().is_some_and(|time| *time > Duration::from_millis(1));
            let is_bad = is_measurable && ratio > MAX_RATIO;
            let note = if is_bad { "  too large" } else { "" };
            println!("{:28} {}   {ratio:5.2}{note}", shape.name, columns.join(" "));
            is_linear &= !is_bad;
        }
    }
    if is_linear { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the time to read an input of each size. The sizes take turns, so that a slow moment of the
/// machine does not hit all runs of one size.
fn measure(shape: &Shape, sizes: &[usize], is_measured: bool) -> Vec<Duration> {
    let inputs: Vec<_> = sizes.iter().map(|size| (shape.input)(*size)).collect();
    for (size, input) in sizes.iter().zip(&inputs) {
        let entries = read(input);
        assert!((shape.check)(*size, &entries), "{}: {:?}", shape.name, entries.first());
    }
    let mut times = vec![Duration::MAX; sizes.len()];
    for _ in 0..if is_measured { RUNS } else { 0 } {
        for (time, input) in times.iter_mut().zip(&inputs) {
            *time = run(input).min(*time);
        }
    }
    times
}

/// Returns the time of one reading. It is repeated until its time can be measured.
fn run(input: &str) -> Duration {
    let clock = Clock::start();
    for count in 1.. {
        black_box(read(black_box(input)));
        let time = clock.elapsed();
        if time >= MIN_RUN {
            return time / count;
        }
    }
    unreachable!("a run ends")
}

/// Clock of this thread: its CPU time, or the time of day if the kernel does not report it.
struct Clock {
    start: Instant,
    cpu: Option<Duration>,
}

impl Clock {
    fn start() -> Self {
        Self { start: Instant::now(), cpu: cpu_time() }
    }

    fn elapsed(&self) -> Duration {
        match (self.cpu, cpu_time()) {
            (Some(start), Some(end)) => end.saturating_sub(start),
            _ => self.start.elapsed(),
        }
    }
}

fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn route(number: usize, port: &str, indent: &str) -> String {
    [
        "apiVersion: gateway.networking.k8s.io/v1".to_owned(),
        "kind: TCPRoute".to_owned(),
        "metadata:".to_owned(),
        format!("  name: route-{number}"),
        "  namespace: bench".to_owned(),
        "spec:".to_owned(),
        "  parentRefs:".to_owned(),
        "  - name: gateway".to_owned(),
        format!("    sectionName: listener-{}", number % 64),
        "  rules:".to_owned(),
        "  - backendRefs:".to_owned(),
        format!("    - {{name: service-{number}, port: {port}}}"),
    ]
    .join(&format!("\n{indent}"))
}

fn documents(size: usize, port: &str) -> String {
    (0..size).map(|number| format!("---\n{}\n", route(number, port, ""))).collect()
}

fn items(size: usize, port: &str) -> String {
    let items = (0..size).map(|number| format!("- {}\n", route(number, port, "  ")));
    ["apiVersion: v1\nkind: List\nitems:\n".to_owned()].into_iter().chain(items).collect()
}

fn valid_documents(size: usize) -> String {
    documents(size, "5432")
}

fn valid_items(size: usize) -> String {
    items(size, "5432")
}

fn valid_json(size: usize) -> String {
    let object = |number| {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "s{number}"}}, "spec": {{"ports": [{{"port": 1}}]}}}}"#
        )
    };
    (0..size).map(object).collect()
}

fn faulty_documents(size: usize) -> String {
    documents(size, "0")
}

fn faulty_items(size: usize) -> String {
    items(size, "0")
}

fn faulty_syntax(size: usize) -> String {
    documents(size, "{")
}

fn faulty_fields(size: usize) -> String {
    let fields: String = (0..size).map(|number| format!("  field{number}: x\n")).collect();
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n{fields}")
}

fn faulty_keys(size: usize) -> String {
    let labels = "    a: x\n".repeat(size);
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n{labels}")
}

fn ports(size: usize) -> String {
    let port = |number: usize| {
        let protocol = if number.is_multiple_of(2) { "TCP" } else { "UDP" };
        format!("  - {{name: p{number}, port: {}, protocol: {protocol}}}\n", number / 2 + 1)
    };
    let ports: String = (0..size).map(port).collect();
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec:\n  ports:\n{ports}")
}

fn listeners(size: usize) -> String {
    let listener =
        |number| format!("  - {{name: l{number}, port: 5432, protocol: x.y/p{number}}}\n");
    let listeners: String = (0..size).map(listener).collect();
    [
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\n",
        "spec:\n  gatewayClassName: c\n  listeners:\n",
        &listeners,
    ]
    .concat()
}

fn deep_nesting(size: usize) -> String {
    "[".repeat(size)
}

fn all_valid(size: usize, entries: &[Entry]) -> bool {
    entries.len() == size && entries.iter().all(|entry| matches!(entry.content, Content::Object(_)))
}

fn one_valid(_: usize, entries: &[Entry]) -> bool {
    all_valid(1, entries)
}

fn all_invalid(size: usize, entries: &[Entry]) -> bool {
    entries.len() == size
        && entries.iter().all(|entry| matches!(entry.content, Content::Invalid(_)))
}

fn one_invalid(_: usize, entries: &[Entry]) -> bool {
    matches!(entries, [Entry { content: Content::Invalid(_), .. }])
}
