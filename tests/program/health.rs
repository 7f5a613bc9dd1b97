//! The health endpoints.

use std::net::TcpStream;

use crate::process::{Program, program, send_request};
use crate::support::eventually;

#[test]
fn health_answers_despite_slow_and_invalid_requests() {
    let program = Program::start(&[], &[]);
    let _slow: Vec<_> = (0..32).map(|_| TcpStream::connect(program.health).unwrap()).collect();
    eventually("it is ready", || program.is_ready());
    assert_eq!(
        send_request(program.health, "POST /livez HTTP/1.1\r\nHost: h\r\n\r\n").unwrap().0,
        405
    );
    let long = format!("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(1 << 20));
    assert!(send_request(program.health, &long).is_none_or(|(code, _)| code >= 400));
    assert!(program.is_ready());
}

#[test]
fn health_port_in_use_fails_with_remedy() {
    let first = Program::start(&[], &[]);
    let second = program()
        .args(["run", "--files", "nowhere", "--health", &first.health.to_string()])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains(&first.health.to_string()) && error.contains("--health"), "{error}");
}
