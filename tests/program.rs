//! The program as its user runs it: options, logs, health, signals.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{PATIENCE, backend, eventually, free_port, name_at, own_address};
use tempfile::TempDir;

/// A Gateway with a listener, and a route to a backend at an address.
fn manifests(port: u16, backend: SocketAddr) -> String {
    format!(
        "\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: edge}}
spec: {{controllerName: example.com/edge}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: public}}
spec:
  gatewayClassName: edge
  listeners: [{{name: db, protocol: TCP, port: {port}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: db}}
spec:
  parentRefs: [{{name: public}}]
  rules: [{{backendRefs: [{{name: db, port: 5432}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{ports: [{{port: 5432}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: db-1, labels: {{kubernetes.io/service-name: db}}}}
addressType: IPv4
endpoints: [{{addresses: [{}], conditions: {{ready: true}}}}]
ports: [{{port: {}}}]
",
        backend.ip(),
        backend.port()
    )
}

/// The program as a process, and what it logs.
struct Program {
    process: Child,
    lines: Receiver<String>,
    log: Vec<Value>,
    health: SocketAddr,
    listener: SocketAddr,
    files: Option<TempDir>,
    /// Leaves the log to itself.
    stop_reading: Arc<AtomicBool>,
}

impl Program {
    /// Forwards to a backend that says `one`.
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let listener = SocketAddr::new(own_address(), free_port());
        let files = TempDir::new().unwrap();
        let manifests = manifests(listener.port(), backend("one"));
        fs::write(files.path().join("gateway.yaml"), manifests).unwrap();
        let mut command = program();
        command.args(["run", "--files"]).arg(files.path()).args(arguments);
        command.args(["--bind", &listener.ip().to_string()]).envs(environment.iter().copied());
        let mut program = Self::run(&mut command);
        (program.listener, program.files) = (listener, Some(files));
        program
    }

    /// Runs the program, and waits until it can be asked how it is.
    fn run(command: &mut Command) -> Self {
        let mut process = command
            .args(["--health", "127.0.0.1:0", "--log-format", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stderr.take().unwrap());
        let stop_reading = Arc::new(AtomicBool::new(false));
        let stopped = stop_reading.clone();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
                while stopped.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let mut log = Vec::new();
        let told = until(&lines, &mut log, "health endpoints");
        let health = told["address"].as_str().unwrap().parse().unwrap();
        Self { process, lines, log, health, listener: nowhere, files: None, stop_reading }
    }

    /// The next line of the log with `text` in its message.
    fn until(&mut self, text: &str) -> Value {
        until(&self.lines, &mut self.log, text)
    }

    fn probe(&self, path: &str) -> Option<(u16, String)> {
        ask(self.health, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    fn is_ready(&self) -> bool {
        self.probe("/readyz").is_some_and(|(code, _)| code == 200)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for the end of the process; its code.
    fn ends(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("the process ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

fn until(lines: &Receiver<String>, log: &mut Vec<Value>, text: &str) -> Value {
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("no `{text}`, only {log:#?}"));
        let line: Value = serde_json::from_str(&line).expect("each line is JSON");
        log.push(line.clone());
        if line["message"].as_str().unwrap().contains(text) {
            return line;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, without what this test's own environment may say to it.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SLUICEGATE_") {
            command.env_remove(name);
        }
    }
    command
}

/// The code and the body of an answer.
fn ask(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// A connection through the gateway that is known to work.
fn connection(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut name = [0; 4];
    stream.read_exact(&mut name).unwrap();
    assert_eq!(&name, b"one\n");
    stream
}

fn echoes(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 5];
    stream.write_all(b"hello").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer == *b"hello"
}

#[test]
fn a_stop_is_announced_then_waits_for_live_connections() {
    let mut program = Program::start(&["--stop-delay", "1.5"], &[]);
    program.until("ready");
    assert_eq!(program.probe("/livez"), Some((200, "alive\n".to_owned())));
    assert_eq!(program.probe("/readyz"), Some((200, "ready\n".to_owned())));
    assert_eq!(program.probe("/").unwrap().0, 404);
    assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    let mut live = connection(program.listener);

    let begun = Instant::now();
    program.signal(Signal::TERM);
    eventually("it is no longer ready", || !program.is_ready());
    let (code, why) = program.probe("/readyz").unwrap();
    assert_eq!(code, 503);
    assert!(why.contains("stopping"), "{why}");
    assert_eq!(program.probe("/livez").unwrap().0, 200);
    // Whoever has not heard of it yet is still served.
    assert_eq!(name_at(program.listener).as_deref(), Some("one"));

    program.until("no new connections");
    assert!(begun.elapsed() >= Duration::from_millis(1_500), "{:?}", begun.elapsed());
    eventually("the listener is closed", || TcpStream::connect(program.listener).is_err());
    assert!(echoes(&mut live), "a live connection goes on");
    assert!(program.process.try_wait().unwrap().is_none());
    drop(live);
    assert_eq!(program.ends(), Some(0));
    program.until("stopped");
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut program = Program::start(&["--stop-delay", "600"], &[]);
    program.until("ready");
    let mut live = connection(program.listener);
    program.signal(Signal::INT);
    program.until("stopping");
    program.signal(Signal::TERM);
    assert_eq!(program.ends(), Some(0));
    assert!(!echoes(&mut live));
    program.until("stopped at once");
}

#[test]
fn the_drain_timeout_ends_what_would_not_end() {
    let environment = [("SLUICEGATE_DRAIN_TIMEOUT", "0.2"), ("SLUICEGATE_WORKERS", "1")];
    let mut program = Program::start(&[], &environment);
    program.until("ready");
    let mut live = connection(program.listener);
    program.signal(Signal::TERM);
    assert_eq!(program.ends(), Some(0));
    assert!(!echoes(&mut live));
}

#[test]
fn the_log_tells_of_connections_and_of_what_is_wrong() {
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
    fs::write(&file, good.replace("{name: db, port: 5432}", "{name: nobody, port: 5432}")).unwrap();
    let line = program.until("BackendNotFound");
    assert_eq!(
        (&line["level"], &line["object"]),
        (&"WARN".into(), &"TCPRoute default/db at public".into())
    );
    fs::write(&file, good).unwrap();
    program.until("nothing more to say of ResolvedRefs");
}

#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let mut program = Program::start(&["--workers", "1"], &[]);
    program.until("ready");
    // The pipe is full after some hundreds of lines.
    program.stop_reading.store(true, Ordering::Relaxed);
    for _ in 0..2_000 {
        assert_eq!(name_at(program.listener).as_deref(), Some("one"));
    }
    assert!(program.is_ready());
    program.signal(Signal::TERM);
    assert_eq!(program.ends(), Some(0));
}

#[test]
fn a_slow_or_rude_asker_keeps_nobody_from_health() {
    let program = Program::start(&[], &[]);
    let _slow: Vec<_> = (0..32).map(|_| TcpStream::connect(program.health).unwrap()).collect();
    eventually("it is ready", || program.is_ready());
    assert_eq!(ask(program.health, "POST /livez HTTP/1.1\r\nHost: h\r\n\r\n").unwrap().0, 405);
    let long = format!("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(1 << 20));
    assert!(ask(program.health, &long).is_none_or(|(code, _)| code >= 400));
    assert!(program.is_ready());
}

#[test]
fn a_taken_health_port_is_told_with_what_to_do() {
    let first = Program::start(&[], &[]);
    let second = program()
        .args(["run", "--files", "nowhere", "--health", &first.health.to_string()])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains(&first.health.to_string()) && error.contains("--health"), "{error}");
}

/// Arguments, environment, and what is found in the answer.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn a_wrong_command_line_is_answered_with_what_would_be_right() {
    let both = "not from both";
    let files = ["run", "--files", "nowhere"];
    let cases: &[Case<'_>] = &[
        (&["run"], &[], "Give --kubernetes, or --files"),
        (&["run", "--kubernetes", "--files", "x"], &[], both),
        (&files, &[("SLUICEGATE_KUBERNETES", "true")], both),
        (&["run", "--kubernetes"], &[("SLUICEGATE_FILES", "a,b")], both),
        (&["run", "--fils", "x"], &[], "'--files'"),
        (&["walk"], &[], "unrecognized subcommand"),
        (&files, &[("SLUICEGATE_WORKERS", "0")], "--workers"),
        (&files, &[("SLUICEGATE_STOP_DELAY", "soon")], "a number of seconds, as in 30"),
        (&files, &[("SLUICEGATE_DRAIN_TIMEOUT", "-1")], "not negative"),
        (&files, &[("SLUICEGATE_LOG_LEVEL", "chatty")], "error, warn, info, debug or trace"),
        (&files, &[("SLUICEGATE_LOG_FORMAT", "xml")], "text, json"),
        (&files, &[("SLUICEGATE_HEALTH", "8081")], "--health"),
        (&files, &[("SLUICEGATE_LEASE", "a/b")], "--lease is for --kubernetes"),
        (&["run", "--kubernetes", "--lease", "edge"], &[], "as in default/web"),
        (&["run", "--kubernetes", "--identity", ""], &[], "--identity"),
        (&["run", "--kubernetes", "--controller-name", "x"], &[], "--controller-name"),
        (&files, &[("SLUICEGATE_ADDRESSES", "service")], "--addresses service is for --kubernetes"),
        (&files, &[("SLUICEGATE_ADDRESSES", "10.0.0.9-10.0.0.1")], "--addresses"),
        (&["run", "--kubernetes", "--addresses", "service"], &[], "needs --replicas"),
        (
            &["run", "--kubernetes", "--replicas", "a/b"],
            &[],
            "--replicas is for --addresses service",
        ),
        (
            &["run", "--kubernetes", "--service-type", "ExternalName"],
            &[],
            "LoadBalancer, ClusterIP or NodePort",
        ),
        (
            &["run", "--kubernetes", "--service-annotations", "a=b,c"],
            &[],
            "`c` should be KEY=VALUE",
        ),
    ];
    for (arguments, environment, expected) in cases {
        let output = program().args(*arguments).envs(environment.iter().copied()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {environment:?}: {error}");
        assert!(error.contains(expected), "{arguments:?} {environment:?}: {error}");
    }
}

#[test]
fn help_and_version_tell_what_there_is() {
    let say = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(say(&["--version"]), format!("sluicegate {}\n", env!("CARGO_PKG_VERSION")));
    let help = say(&["run", "--help"]);
    for line in help.lines().filter(|line| line.trim_start().starts_with("--")) {
        let flag = line.trim_start().split([' ', '.']).next().unwrap();
        let variable = format!("SLUICEGATE_{}", flag[2..].replace('-', "_").to_uppercase());
        assert!(help.contains(&format!("[env: {variable}=")), "{flag} has no {variable}:\n{help}");
    }
}

#[test]
fn what_needs_no_cluster_does_not_ask_for_one() {
    let environment = [("SLUICEGATE_KUBERNETES", "false"), ("KUBECONFIG", "/nonexistent")];
    let program = Program::start(&[], &environment);
    eventually("it is ready", || program.is_ready());
}

#[test]
fn an_api_server_that_does_not_answer_is_waited_for() {
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("kubeconfig");
    let server = SocketAddr::new(own_address(), free_port());
    let text = format!(
        "\
apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: 'http://{server}'}}}}]
users: [{{name: u, user: {{}}}}]
"
    );
    fs::write(&config, text).unwrap();
    let mut program =
        Program::run(program().args(["run", "--kubernetes"]).env("KUBECONFIG", &config));
    let line = loop {
        let line = program.until("");
        if line["level"] == "WARN" {
            break line.to_string();
        }
    };
    assert!(line.to_lowercase().contains("connection refused"), "{line}");
    assert_eq!(program.probe("/livez").unwrap().0, 200);
    let (code, why) = program.probe("/readyz").unwrap();
    assert_eq!(code, 503);
    assert!(why.contains("starting"), "{why}");
    program.signal(Signal::TERM);
    assert_eq!(program.ends(), Some(0));
}

#[test]
fn a_cluster_that_is_nowhere_is_a_failure_that_says_what_to_do() {
    let output = program()
        .args(["run", "--kubernetes", "--health", "127.0.0.1:0"])
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("KUBECONFIG"), "{error}");
}
