//! The program as a process, with its log and its health endpoints.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{WAIT_TIMEOUT, backend, free_port, own_address, wait_for_exit};

/// Returns a Gateway with a listener, and a route to the backend.
pub(crate) fn manifests(port: u16, backend: SocketAddr) -> String {
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

/// The program as a process, and its log.
pub(crate) struct Program {
    pub(crate) process: Child,
    lines: Receiver<String>,
    pub(crate) log: Vec<Value>,
    pub(crate) health: SocketAddr,
    pub(crate) listener: SocketAddr,
    pub(crate) files: Option<TempDir>,
    /// Stops reading the log, so that its pipe fills up.
    pub(crate) stop_reading: Arc<AtomicBool>,
}

impl Program {
    /// Runs the program with a route to a backend that sends `one`.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_command(program(), arguments, environment)
    }

    /// Starts the program by a command of [`program`] or [`program_with_descriptors`].
    pub(crate) fn start_command(
        mut command: Command,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let listener = SocketAddr::new(own_address(), free_port());
        let files = TempDir::new().unwrap();
        let manifests = manifests(listener.port(), backend("one"));
        fs::write(files.path().join("gateway.yaml"), manifests).unwrap();
        command.args(["run", "--files"]).arg(files.path()).args(arguments);
        command.args(["--bind", &listener.ip().to_string()]).envs(environment.iter().copied());
        let mut program = Self::run(&mut command);
        (program.listener, program.files) = (listener, Some(files));
        program
    }

    /// Runs the program, and waits until the health endpoints are served.
    pub(crate) fn run(command: &mut Command) -> Self {
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
        let unspecified = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let mut log = Vec::new();
        let line = until(&lines, &mut log, "health endpoints");
        let health = line["address"].as_str().unwrap().parse().unwrap();
        Self { process, lines, log, health, listener: unspecified, files: None, stop_reading }
    }

    /// Returns the next line of the log with `text` in its message.
    pub(crate) fn until(&mut self, text: &str) -> Value {
        until(&self.lines, &mut self.log, text)
    }

    /// Waits for a line with each of these texts, in any order.
    pub(crate) fn until_all(&mut self, texts: &[&str]) {
        let start = self.log.len();
        for text in texts {
            let contains = |line: &Value| line["message"].as_str().unwrap().contains(text);
            if !self.log[start..].iter().any(contains) {
                self.until(text);
            }
        }
    }

    pub(crate) fn probe(&self, path: &str) -> Option<(u16, String)> {
        send_request(self.health, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.probe("/readyz").is_some_and(|(code, _)| code == 200)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for the end of the process and returns its exit status.
    pub(crate) fn wait_for_exit(&mut self) -> Option<i32> {
        wait_for_exit(&mut self.process).code()
    }
}

fn until(lines: &Receiver<String>, log: &mut Vec<Value>, text: &str) -> Value {
    loop {
        let line = lines.recv_timeout(WAIT_TIMEOUT);
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

/// Returns a command without the variables of the program that the environment of the test has.
pub(crate) fn program() -> Command {
    without_variables(Command::new(PROGRAM))
}

/// Returns the same command, with a limit of file descriptors.
pub(crate) fn program_with_descriptors(limit: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\""), PROGRAM]);
    without_variables(command)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluicegate");

fn without_variables(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SLUICEGATE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Sends a request and returns status and body of the response.
pub(crate) fn send_request(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Opens a connection through the gateway and checks that it works.
pub(crate) fn connection(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    let mut name = [0; 4];
    stream.read_exact(&mut name).unwrap();
    assert_eq!(&name, b"one\n");
    stream
}

pub(crate) fn echoes(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 5];
    stream.write_all(b"hello").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer == *b"hello"
}
