//! The log on standard error.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::process::{Program, connection};
use crate::support::{eventually, name_at};

/// Replaces a file atomically, so that the program never reads a part of it.
fn replace(file: &Path, content: impl AsRef<str>) {
    let new = file.with_file_name(".new");
    fs::write(&new, content.as_ref()).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn log_contains_connections_and_conditions() {
    let mut program = Program::start(&[], &[("SLUICEGATE_LOG_LEVEL", "debug")]);
    program.until("ready");
    drop(connection(program.listener));
    for (message, level) in [("connection opened", "DEBUG"), ("connection ended", "INFO")] {
        let line = program.until(message);
        assert_eq!(
            (&line["level"], &line["listener"]),
            (&level.into(), &"default/public/db".into())
        );
        assert_eq!(line["target"], "sluicegate::forward::connection");
    }
    let line = program.log.last().unwrap();
    assert!(line["timestamp"].is_string() && line["bytes_down"].is_u64(), "{line}");

    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("{name: db, port: 5432}", "{name: absent, port: 5432}")).unwrap();
    let line = program.until("BackendNotFound");
    assert_eq!(
        (&line["level"], &line["object"]),
        (&"WARN".into(), &"TCPRoute default/db at public".into())
    );
    fs::write(&file, good).unwrap();
    program.until("ResolvedRefs condition recovered");
}

#[test]
fn log_contains_one_line_for_each_change() {
    let mut program = Program::start(&[], &[("SLUICEGATE_LOG_LEVEL", "debug")]);
    let listener = program.listener;
    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let good = fs::read_to_string(&file).unwrap();
    let endpoint = format!("addresses: [{}]", good.split("addresses: [").nth(1).unwrap());
    let endpoint = endpoint.split(']').next().unwrap().replace("addresses: [", "");
    let line = program.until("started");
    let message = line["message"].as_str().unwrap();
    assert!(
        message.contains("objects: 5; routes in use: 1 (TCPRoute/default/db: 1 endpoint +"),
        "{line}"
    );
    assert!(message.contains("listeners opened: 1 (default/public/db)"), "{line}");
    assert_eq!((&line["objects"], &line["opened"]), (&5.into(), &1.into()), "{line}");

    // Only the endpoint of the backend changes.
    replace(&file, good.replace(&format!("[{endpoint}]"), "[127.0.0.9]"));
    let line = program.until("changes applied");
    let message = line["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "changes applied: objects changed: 1 (EndpointSlice default/db-1); routes changed: 1 \
             (TCPRoute/default/db: 1 endpoint +127.0.0.9:"
        ),
        "{line}"
    );
    assert!(message.contains(&format!(" -{endpoint}:")), "{line}");
    assert_eq!((&line["level"], &line["routes"]), (&"INFO".into(), &1.into()), "{line}");
    assert!(line["opened"].is_null(), "{line}");

    replace(&file, good.replace("kind: TCPRoute", "kind: UDPRoute"));
    let line = program.until("listeners without a route");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("objects removed: 1 (TCPRoute default/db)"), "{line}");
    assert!(message.contains("listeners without a route: 1 (default/public/db)"), "{line}");
    assert_eq!(line["unrouted"], 1, "{line}");
    replace(&file, &good);
    let line = program.until("routes in use");
    let message = line["message"].as_str().unwrap();
    assert!(
        message.contains("listeners with a new route: 1 (default/public/db: TCPRoute/"),
        "{line}"
    );

    let other_port = u32::from(listener.port()) + 40_000;
    let bad =
        good.replace(&format!("port: {}}}", listener.port()), &format!("port: {other_port}0}}"));
    replace(&file, &bad);
    program.until("the last valid version stays in use");
    replace(&file, &good);
    let line = program.until("problems resolved");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("gateway.yaml:"), "{line}");
    assert!(line["resolved"].as_u64().is_some_and(|count| count > 0), "{line}");

    // A comment changes nothing.
    replace(&file, format!("# Comment\n{good}"));
    program.until("files changed, but their objects are the same");
    let lines = program.log.len();
    replace(&file, good.replace(&format!("[{endpoint}]"), "[127.0.0.9]"));
    program.until("changes applied");
    let applied = |line: &&Value| line["target"] == "sluicegate::server::report_log";
    assert_eq!(program.log[lines..].iter().filter(applied).count(), 1, "{:#?}", program.log);
}

#[test]
fn log_warns_only_of_conditions_that_are_not_fine() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let good = fs::read_to_string(&file).unwrap();
    let without_endpoints = good.replace("ready: true", "ready: false");
    fs::write(&file, without_endpoints).unwrap();
    let line = program.until("Service default/db has no ready endpoint");
    let message = line["message"].as_str().unwrap();
    assert!(message.starts_with("Service default/db has no ready endpoint"), "{line}");
    assert!(message.contains("so its connections are reset"), "{line}");
    assert_eq!((&line["level"], &line["condition"]), (&"INFO".into(), &"ResolvedRefs".into()));

    fs::write(&file, good.replace("kind: Service\n", "kind: Namespace\n")).unwrap();
    let line = program.until("ResolvedRefs is False");
    assert_eq!((&line["level"], &line["condition"]), (&"WARN".into(), &"ResolvedRefs".into()));
}

#[test]
fn log_contains_objects_of_kinds_that_are_not_served() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    let file = program.files.as_ref().unwrap().path().join("web.yaml");
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec: {parentRefs: [{name: public}]}\n";
    fs::write(file, route).unwrap();
    let line = program.until("kind HTTPRoute of group gateway.networking.k8s.io is not served");
    assert_eq!(
        (&line["level"], &line["object"]),
        (&"WARN".into(), &"gateway.networking.k8s.io HTTPRoute default/web".into())
    );
    assert!(line["message"].as_str().unwrap().contains("Gateway default/public"), "{line}");
}

#[test]
fn log_without_reader_does_not_block_traffic() {
    let mut program = Program::start(&["--workers", "1"], &[]);
    program.until("ready");
    // The pipe is full after some hundreds of lines.
    program.stop_reading.store(true, Ordering::Relaxed);
    for _ in 0..2_000 {
        assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    }
    assert!(program.is_ready());
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
}

/// Returns the number of lines about connections that ended.
fn count_lines(program: &Program) -> usize {
    program.log.iter().filter(|line| line["message"] == "connection ended").count()
}

/// Returns the summaries of suppressed lines, and the number of those lines.
fn summaries(program: &Program) -> (Vec<&Value>, u64) {
    let is_summary = |line: &&Value| line["suppressed"].is_u64();
    let summaries: Vec<_> = program.log.iter().filter(is_summary).collect();
    let suppressed = summaries.iter().map(|line| line["suppressed"].as_u64().unwrap()).sum();
    (summaries, suppressed)
}

#[test]
fn connection_log_is_limited_per_second() {
    let mut program = Program::start(&["--connection-log-limit", "10"], &[]);
    program.until("ready");
    let start = Instant::now();
    for _ in 0..400 {
        assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    }
    // The last line comes without a further connection.
    while count_lines(&program) as u64 + summaries(&program).1 < 400 {
        program.until("connection");
    }
    let seconds = start.elapsed().as_secs() as usize + 2;
    let lines = count_lines(&program);
    let (summaries, suppressed) = summaries(&program);
    assert_eq!(lines as u64 + suppressed, 400);
    assert!(lines <= 10 * seconds, "{lines} in {seconds} s");
    assert!(summaries.len() <= seconds, "{summaries:#?}");
    let counts = summaries[0]["counts"].as_str().unwrap();
    assert!(counts.contains("default/public/db completed: "), "{counts}");
    let message = summaries[0]["message"].as_str().unwrap();
    assert!(message.contains("--connection-log-limit"), "{message}");
}

#[test]
fn connection_log_limit_counts_connections_of_shutdown() {
    let arguments = ["--connection-log-limit", "1", "--drain-timeout", "0"];
    let mut program = Program::start(&arguments, &[]);
    program.until("ready");
    let _connections: Vec<_> = (0..20).map(|_| connection(program.listener)).collect();
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
    program.until("stopped");
    assert_eq!(count_lines(&program) as u64 + summaries(&program).1, 20);
}

#[test]
fn connection_log_limit_counts_connections_of_immediate_stop() {
    let mut program = Program::start(&["--connection-log-limit", "1", "--workers", "1"], &[]);
    program.until("ready");
    let _connections: Vec<_> = (0..20).map(|_| connection(program.listener)).collect();
    program.signal(Signal::TERM);
    program.until("no new connections");
    // A signal within a second counts as the first one.
    thread::sleep(Duration::from_millis(1_100));
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
    program.until("stopped immediately");
    assert_eq!(count_lines(&program) as u64 + summaries(&program).1, 20);
}

/// Changes the route to a Service that does not exist, and waits until it is in use.
fn break_route(program: &Program) {
    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("{name: db, port: 5432}", "{name: absent, port: 5432}")).unwrap();
    eventually("connections are rejected", || name_at(program.listener).is_none());
}

#[test]
fn connection_log_of_failures_excludes_completed() {
    let mut program = Program::start(&["--connection-log", "failures"], &[]);
    program.until("ready");
    assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    break_route(&program);
    let line = program.until("connection ended");
    assert_eq!((&line["outcome"], count_lines(&program)), (&"rejected".into(), 1));
}

#[test]
fn connection_log_off_keeps_warnings() {
    let mut program =
        Program::start(&["--connection-log-limit", "1"], &[("SLUICEGATE_CONNECTION_LOG", "off")]);
    program.until("ready");
    for _ in 0..10 {
        assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    }
    break_route(&program);
    assert_eq!(program.until("BackendNotFound")["level"], "WARN");
    program.signal(Signal::TERM);
    program.until("stopped");
    assert_eq!((count_lines(&program), summaries(&program).1), (0, 0));
}

#[test]
fn warning_is_kept_while_log_is_not_read() {
    let arguments = ["--connection-log-limit", "0", "--log-level", "debug"];
    let mut program = Program::start(&arguments, &[]);
    program.until("ready");
    program.stop_reading.store(true, Ordering::Relaxed);
    // More than 4 MiB.
    let connect = |count: usize| {
        let listener = program.listener;
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || (0..count / 4).for_each(|_| drop(name_at(listener))));
            }
        });
    };
    connect(8_000);
    break_route(&program);
    connect(400);
    program.stop_reading.store(false, Ordering::Relaxed);
    assert_eq!(program.until("BackendNotFound")["level"], "WARN");
    let line = program.until("log lines dropped");
    assert_eq!((&line["level"], &line["dropped_warnings"]), (&"WARN".into(), &0.into()));
    assert!(line["dropped_lines"].as_u64().unwrap() >= 400, "{line}");
}
