//! The log on standard error.

use std::fs;
use std::sync::atomic::Ordering;

use rustix::process::Signal;

use crate::process::{Program, connection};
use crate::support::name_at;

#[test]
fn log_contains_connections_and_conditions() {
    let mut program = Program::start(&[], &[("SLUICEGATE_LOG_LEVEL", "debug")]);
    program.until("ready");
    drop(connection(program.listener));
    let mut line = program.until("");
    while line["target"] != "sluicegate::forward::connection" {
        line = program.until("");
    }
    assert_eq!((&line["level"], &line["listener"]), (&"INFO".into(), &"default/public/db".into()));
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
