//! The walk-through, as its reader does it: the example runs as a process, `nc` and `curl` try it,
//! files are edited, and ctrl-c ends it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use support::{PATIENCE, eventually, example, own_address};
use tempfile::TempDir;

/// The example as a process, and what it prints.
struct Gateway {
    process: Child,
    lines: Receiver<String>,
    address: IpAddr,
}

impl Gateway {
    fn start(arguments: &[&str]) -> Self {
        let address = own_address();
        let mut process = Command::new(example("file_gateway"))
            .args(["--bind", &address.to_string()])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        Self { process, lines, address }
    }

    /// Everything that is printed until a line with `text` in it, and that line.
    fn until(&self, text: &str) -> String {
        let mut printed = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    printed += &line;
                    printed.push('\n');
                    if line.contains(text) {
                        return printed;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with `{text}`, only:\n{printed}")
                }
            }
        }
    }

    fn url(&self, port: u16) -> String {
        format!("http://{}:{port}", self.address)
    }

    fn connect(&self, port: u16) -> Result<TcpStream, std::io::Error> {
        TcpStream::connect(SocketAddr::new(self.address, port))
    }

    fn signal(&self, signal: &str) {
        let sent =
            Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process; whether it was a good one.
    fn ends_well(&mut self) -> bool {
        let mut status = None;
        eventually("the process ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.is_some_and(|status| status.success())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a tool if this machine has it.
fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("skipped: {name} is not installed");
            None
        }
    }
}

/// The body of the answer to a plain request.
fn get(gateway: &Gateway, port: u16) -> Option<Value> {
    let mut stream = gateway.connect(port).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

fn service_at(gateway: &Gateway, port: u16) -> Option<String> {
    Some(get(gateway, port)?["service"].as_str()?.to_owned())
}

/// The walk-through's files, to be edited.
fn copy() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    for entry in fs::read_dir("examples/tcp-routing").unwrap() {
        let file = entry.unwrap();
        fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
    }
    let path = directory.path().to_owned();
    (directory, path)
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} is not in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_walk_through_word_for_word() {
    let mut gateway = Gateway::start(&[]);
    let printed = gateway.until("Ctrl-C stops");
    let address = gateway.address;
    let line = |listener| format!("default/tcp-gateway  {listener}");
    for expected in [
        &line("foo"),
        &line("bar"),
        "TCPROUTE           PARENT           ACCEPTED  RESOLVEDREFS",
        "default/tcp-app-1  tcp-gateway/foo  True      True",
        "default/tcp-app-2  tcp-gateway/bar  True      True",
        &format!("  nc -zv {address} 8088"),
        &format!("  curl -i http://{address}:8089"),
    ] {
        assert!(printed.contains(expected), "`{expected}` is not in\n{printed}");
    }

    for (port, service, pod) in [(8088, "foo", "backend-1-"), (8089, "bar", "backend-2-")] {
        if let Some(output) = tool("nc", &["-zv", &address.to_string(), &port.to_string()]) {
            assert!(output.status.success(), "{output:?}");
        }
        let Some(output) = tool("curl", &["-si", &gateway.url(port)]) else { continue };
        let answer = String::from_utf8(output.stdout).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        for header in [
            "Content-Type: application/json",
            "X-Content-Type-Options: nosniff",
            "Content-Length: ",
            "Date: ",
        ] {
            assert!(head.contains(header), "{header} is not in\n{head}");
        }
        let mut body: Value = serde_json::from_str(body).unwrap();
        assert!(body["pod"].take().as_str().unwrap().starts_with(pod));
        assert!(body["headers"]["User-Agent"][0].take().as_str().unwrap().starts_with("curl/"));
        assert_eq!(
            body,
            json!({
                "path": "/",
                "host": format!("{address}:{port}"),
                "method": "GET",
                "proto": "HTTP/1.1",
                "headers": {"Accept": ["*/*"], "User-Agent": [null]},
                "namespace": "default",
                "ingress": "",
                "service": service,
                "pod": null,
            })
        );
    }
    gateway.signal("-INT");
    gateway.until("Stopped.");
    assert!(gateway.ends_well());
}

#[test]
fn edits_are_followed_and_told() {
    let (_directory, path) = copy();
    let gateway = Gateway::start(&["--play-pods", path.to_str().unwrap()]);
    gateway.until("Ctrl-C stops");
    let live = gateway.connect(8088).unwrap();

    // Another backend takes over: 0 of the weight for the old one, all for the new one.
    edit(
        &path.join("routes.yaml"),
        "      port: 3001",
        "      port: 3001\n      weight: 0\n    - name: bar\n      port: 3002",
    );
    let told = gateway.until("changed  TCPRoute default/tcp-app-1");
    assert!(told.contains("spec.rules[0].backendRefs[0].weight 1 -> 0"), "{told}");
    eventually("bar answers at 8088", || service_at(&gateway, 8088).as_deref() == Some("bar"));

    edit(
        &path.join("gateway.yaml"),
        "  listeners:\n",
        "  listeners:\n  - {name: extra, protocol: TCP, port: 8090}\n",
    );
    gateway.until(&format!("open     {}:8090 (default/tcp-gateway/extra)", gateway.address));
    assert!(gateway.connect(8090).is_ok());

    edit(&path.join("gateway.yaml"), "port: 8090", "port: 809000");
    let told = gateway.until("PROBLEM");
    assert!(told.contains("spec.listeners[0].port: invalid value: integer `809000`, expected a port from 1 to 65535"), "{told}");
    assert!(gateway.connect(8090).is_ok());
    edit(&path.join("gateway.yaml"), "port: 809000", "port: 8090");
    gateway.until("solved");

    let routes = fs::read_to_string(path.join("routes.yaml")).unwrap();
    let (first, _second) = routes.split_once("\n---\n").unwrap();
    fs::write(path.join("routes.yaml"), first).unwrap();
    gateway.until("removed  TCPRoute default/tcp-app-2");
    eventually("nobody answers at 8089", || service_at(&gateway, 8089).is_none());
    assert_eq!(service_at(&gateway, 8088).as_deref(), Some("bar"));

    // The connection of the beginning still goes where it went then.
    let mut live = live;
    live.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(live, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    live.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"service\": \"foo\""), "{answer}");
}

#[test]
fn a_stop_lets_live_connections_finish() {
    let mut gateway = Gateway::start(&["--drain-timeout", "60"]);
    gateway.until("Ctrl-C stops");
    let mut live = gateway.connect(8088).unwrap();
    // The gateway counts it once it is accepted.
    write!(live, "GET / HTTP/1.1\r\n").unwrap();
    eventually("a whole exchange", || service_at(&gateway, 8088).is_some());
    gateway.signal("-TERM");
    gateway.until("Stopping: no new connections; 1 live may finish within 60 s");
    eventually("the port is closed", || gateway.connect(8088).is_err());
    write!(live, "Host: h\r\nConnection: close\r\n\r\n").unwrap();
    live.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    live.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"service\": \"foo\""), "{answer}");
    // Both sides have to end it.
    drop(live);
    gateway.until("Stopped.");
    assert!(gateway.ends_well());
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let mut gateway = Gateway::start(&["--drain-timeout", "0.05"]);
    gateway.until("Ctrl-C stops");
    let mut live = gateway.connect(8088).unwrap();
    eventually("a whole exchange", || service_at(&gateway, 8088).is_some());
    gateway.signal("-TERM");
    gateway.until("Stopped.");
    assert!(gateway.ends_well());
    live.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(live.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let run = |arguments: &[&str]| {
        let output = Command::new(example("file_gateway")).args(arguments).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(help.contains("--drain-timeout SECONDS"), "{help}");
    let (code, _, error) = run(&["--bind", "nowhere"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("nowhere"), "{error}");
    let (code, _, error) = run(&["--no-such-flag"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("--no-such-flag"), "{error}");
    let (code, _, error) = run(&["/no/such/file.yaml"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("cannot read /no/such/file.yaml: No such file"), "{error}");
}
