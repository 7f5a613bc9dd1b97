//! The walk-through of the README: the example runs as a process, `nc` and `curl` connect to it,
//! files are edited, and SIGINT stops it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::{WAIT_TIMEOUT, eventually, example, free_port, is_free, own_address, wait_for_exit};
use tempfile::TempDir;

/// The example as a process, and its standard output.
struct Gateway {
    process: Child,
    lines: Receiver<String>,
    address: IpAddr,
}

impl Gateway {
    /// Runs the example with these files, at an address of its own.
    fn start(files: &Files, arguments: &[&str]) -> Self {
        let address = own_address();
        let (bind, path) = (address.to_string(), files.path.to_str().unwrap());
        Self::run(address, &[&["--bind", &bind, "--simulate-pods", path], arguments].concat())
    }

    /// Runs the example; `address` is the address for clients.
    fn run(address: IpAddr, arguments: &[&str]) -> Self {
        let mut process = Command::new(example("file_gateway"))
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

    /// Returns the output up to the next line that contains `text`.
    fn until(&self, text: &str) -> String {
        let mut printed = String::new();
        loop {
            match self.lines.recv_timeout(WAIT_TIMEOUT) {
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

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for the end of the process and returns `true` if its exit status is 0.
    fn exits_with_success(&mut self) -> bool {
        wait_for_exit(&mut self.process).success()
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

/// Sends a request and returns the body of the response.
fn get(gateway: &Gateway, port: u16) -> Option<Value> {
    let mut stream = gateway.connect(port).ok()?;
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

fn service_at(gateway: &Gateway, port: u16) -> Option<String> {
    Some(get(gateway, port)?["service"].as_str()?.to_owned())
}

/// Copies of the walk-through's files with free ports.
struct Files {
    path: PathBuf,
    foo: u16,
    bar: u16,
    _directory: TempDir,
}

impl Files {
    fn copy() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_owned();
        for entry in fs::read_dir("examples/tcp-routing").unwrap() {
            let file = entry.unwrap();
            fs::copy(file.path(), path.join(file.file_name())).unwrap();
        }
        let files = Self { path, foo: free_port(), bar: free_port(), _directory: directory };
        files.edit("gateway.yaml", "port: 8088", &format!("port: {}", files.foo));
        files.edit("gateway.yaml", "port: 8089", &format!("port: {}", files.bar));
        files
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let file = self.path.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} is not in {}", file.display());
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn walkthrough_works_at_free_ports() {
    let files = Files::copy();
    let gateway = Gateway::start(&files, &[]);
    let printed = gateway.until("Ctrl-C stops");
    walk(gateway, &printed, [files.foo, files.bar]);
}

/// The first command of the README, with its ports and its output.
#[test]
fn walkthrough_works_as_in_readme() {
    if !is_free(8088) || !is_free(8089) {
        eprintln!("skipped walkthrough_works_as_in_readme: port 8088 or 8089 is taken");
        return;
    }
    let gateway = Gateway::run(Ipv4Addr::LOCALHOST.into(), &[]);
    let printed = gateway.until("Ctrl-C stops");
    assert!(printed.contains("Reading examples/tcp-routing\n"), "{printed}");
    walk(gateway, &printed, [8088, 8089]);
}

/// Checks the printed text, sends requests to both ports, and stops the gateway.
fn walk(mut gateway: Gateway, printed: &str, ports: [u16; 2]) {
    let address = gateway.address;
    let line = |listener| format!("default/tcp-gateway  {listener}");
    for expected in [
        &line("foo"),
        &line("bar"),
        "TCPROUTE           PARENT           ACCEPTED  RESOLVEDREFS",
        "default/tcp-app-1  tcp-gateway/foo  True      True",
        "default/tcp-app-2  tcp-gateway/bar  True      True",
        &format!("  nc -zv {address} {}", ports[0]),
        &format!("  curl -i http://{address}:{}", ports[1]),
    ] {
        assert!(printed.contains(expected), "`{expected}` is not in\n{printed}");
    }

    for (port, service, pod) in [(ports[0], "foo", "backend-1-"), (ports[1], "bar", "backend-2-")] {
        if let Some(output) = tool("nc", &["-zv", &address.to_string(), &port.to_string()]) {
            assert!(output.status.success(), "{output:?}");
        }
        let url = gateway.url(port);
        // Ignores .curlrc and proxies of the user.
        let arguments = ["-q", "--noproxy", "*", "-si", &url];
        let Some(output) = tool("curl", &arguments) else { continue };
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
    gateway.signal(Signal::INT);
    gateway.until("stopped");
    assert!(gateway.exits_with_success());
}

#[test]
fn edits_are_applied_and_logged() {
    let files = Files::copy();
    let gateway = Gateway::start(&files, &[]);
    gateway.until("Ctrl-C stops");
    let live = gateway.connect(files.foo).unwrap();

    // Another backend takes over: 0 of the weight for the old one, all for the new one.
    files.edit(
        "routes.yaml",
        "      port: 3001",
        "      port: 3001\n      weight: 0\n    - name: bar\n      port: 3002",
    );
    let printed = gateway.until("changed TCPRoute default/tcp-app-1");
    assert!(printed.contains("spec.rules[0].backendRefs[0].weight 1 -> 0"), "{printed}");
    eventually("bar answers in its place", || {
        service_at(&gateway, files.foo).as_deref() == Some("bar")
    });

    let extra = free_port();
    files.edit(
        "gateway.yaml",
        "  listeners:\n",
        &format!("  listeners:\n  - {{name: extra, protocol: TCP, port: {extra}}}\n"),
    );
    let printed = gateway.until(&format!("{}:{extra}", gateway.address));
    assert!(printed.contains("listening listener=default/tcp-gateway/extra"), "{printed}");
    assert!(gateway.connect(extra).is_ok());

    files.edit("gateway.yaml", &format!("port: {extra}"), "port: 809000");
    gateway
        .until("spec.listeners[0].port: found the number 809000, expected a port from 1 to 65535");
    assert!(gateway.connect(extra).is_ok());
    files.edit("gateway.yaml", "port: 809000", &format!("port: {extra}"));
    gateway.until("gateway.yaml: corrected");

    let routes = fs::read_to_string(files.path.join("routes.yaml")).unwrap();
    let (first, _second) = routes.split_once("\n---\n").unwrap();
    fs::write(files.path.join("routes.yaml"), first).unwrap();
    gateway.until("removed TCPRoute default/tcp-app-2");
    eventually("the other port resets connections", || service_at(&gateway, files.bar).is_none());
    assert_eq!(service_at(&gateway, files.foo).as_deref(), Some("bar"));

    // The first connection keeps its route.
    let mut live = live;
    live.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    write!(live, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    live.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"service\": \"foo\""), "{answer}");
}

#[test]
fn sighup_reads_all_files_again() {
    let files = Files::copy();
    let mut gateway = Gateway::start(&files, &[]);
    gateway.until("Ctrl-C stops");
    gateway.signal(Signal::HUP);
    let printed = gateway.until("files read again: 3");
    assert!(printed.contains("(no object changed); errors: 0"), "{printed}");
    assert!(gateway.connect(files.foo).is_ok());
    gateway.signal(Signal::TERM);
    assert!(gateway.exits_with_success());
}

#[test]
fn shutdown_lets_open_connections_finish() {
    let files = Files::copy();
    let mut gateway = Gateway::start(&files, &["--drain-timeout", "60"]);
    gateway.until("Ctrl-C stops");
    let mut live = gateway.connect(files.foo).unwrap();
    // The gateway counts it once it is accepted.
    write!(live, "GET / HTTP/1.1\r\n").unwrap();
    eventually("a whole exchange", || service_at(&gateway, files.foo).is_some());
    gateway.signal(Signal::TERM);
    // The exchange may still count, beside the connection that is kept.
    let printed = gateway.until("shutting down: no new connections; ");
    assert!(printed.contains(" open connections have 60 s to finish"), "{printed}");
    eventually("the port is closed", || gateway.connect(files.foo).is_err());
    write!(live, "Host: h\r\nConnection: close\r\n\r\n").unwrap();
    live.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    let mut answer = String::new();
    live.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"service\": \"foo\""), "{answer}");
    // Both sides have to end it.
    drop(live);
    gateway.until("stopped");
    assert!(gateway.exits_with_success());
}

#[test]
fn shutdown_resets_connections_at_drain_timeout() {
    let files = Files::copy();
    let mut gateway = Gateway::start(&files, &["--drain-timeout", "0.05"]);
    gateway.until("Ctrl-C stops");
    let mut live = gateway.connect(files.foo).unwrap();
    eventually("a whole exchange", || service_at(&gateway, files.foo).is_some());
    gateway.signal(Signal::TERM);
    gateway.until("stopped");
    assert!(gateway.exits_with_success());
    live.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(live.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn command_line_error_contains_cause() {
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
