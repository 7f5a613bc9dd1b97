//! SIGTERM and SIGINT: readiness, drain, immediate stop.

use std::fs;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Program, connection, echoes};
use crate::support::{eventually, name_at};

#[test]
fn shutdown_accepts_then_fails_readiness_and_drains() {
    let mut program = Program::start(&["--stop-delay", "1.5"], &[]);
    program.until("ready");
    assert_eq!(program.probe("/livez"), Some((200, "alive\n".to_owned())));
    assert_eq!(program.probe("/readyz"), Some((200, "ready\n".to_owned())));
    assert_eq!(program.probe("/acceptz"), Some((200, "ready\n".to_owned())));
    assert_eq!(program.probe("/").unwrap().0, 404);
    assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    let mut live = connection(program.listener);

    let start = Instant::now();
    program.signal(Signal::TERM);
    eventually("/acceptz fails", || program.probe("/acceptz").unwrap().0 == 503);
    // New connections are accepted during the stop delay.
    assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    let still = "shutting down: still accepting connections\n".to_owned();
    assert_eq!(program.probe("/readyz"), Some((200, still)));
    assert_eq!(program.probe("/livez").unwrap().0, 200);

    program.until("no new connections");
    assert!(start.elapsed() >= Duration::from_millis(1_500), "{:?}", start.elapsed());
    eventually("the listener is closed", || TcpStream::connect(program.listener).is_err());
    let (code, why) = program.probe("/readyz").unwrap();
    assert_eq!(code, 503);
    assert!(why.contains("shutting down"), "{why}");
    assert!(echoes(&mut live), "a live connection goes on");
    assert!(program.process.try_wait().unwrap().is_none());
    drop(live);
    assert_eq!(program.wait_for_exit(), Some(0));
    program.until("stopped");
}

#[test]
fn shutdown_is_immediate_on_second_signal() {
    let mut program = Program::start(&["--stop-delay", "600"], &[]);
    program.until("ready");
    let mut live = connection(program.listener);
    program.signal(Signal::INT);
    program.until("shutting down");
    // A signal within a second counts as the first one.
    sleep(Duration::from_millis(1_100));
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
    assert!(!echoes(&mut live));
    program.until("stopped immediately");
}

#[test]
fn shutdown_counts_connections_of_removed_listeners() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    let mut live = connection(program.listener);
    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("kind: Gateway\n", "kind: TLSRoute\n")).unwrap();
    program.until("no longer listening");
    program.signal(Signal::TERM);
    // Without a stop delay, the first line is about the open connections.
    let line = program.until("shutting down");
    let message = line["message"].as_str().unwrap();
    assert!(message.starts_with("shutting down: no new connections"), "{message}");
    assert!(message.ends_with("send the signal again after more than 1 s"), "{message}");
    assert_eq!(line["open"], 1);
    assert!(echoes(&mut live));
    drop(live);
    assert_eq!(program.wait_for_exit(), Some(0));
}

#[test]
fn shutdown_resets_connections_at_drain_timeout() {
    let environment = [("SLUICEGATE_DRAIN_TIMEOUT", "0.2"), ("SLUICEGATE_WORKERS", "1")];
    let mut program = Program::start(&[], &environment);
    program.until("ready");
    let mut live = connection(program.listener);
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
    assert!(!echoes(&mut live));
}
