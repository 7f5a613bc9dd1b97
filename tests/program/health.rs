//! The health endpoints.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::process::{Program, manifests, program, program_with_descriptors, send_request};
use crate::support::{WAIT_TIMEOUT, backend, eventually, name_at};

/// The default timeout of a probe in Kubernetes.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Number of consecutive failed probes after which the kubelet restarts a container.
const FAILURE_THRESHOLD: usize = 3;

/// Age up to which the program keeps a connection without a request.
const PROTECTED_AGE: Duration = Duration::from_millis(100);

/// A number of connections that is higher than the program keeps open.
const MANY_CONNECTIONS: usize = 96;

impl Program {
    fn answers_probes(&self) {
        for path in ["/livez", "/readyz"] {
            let answers = (0..FAILURE_THRESHOLD).any(|_| is_answered(self.health, path));
            assert!(answers, "{FAILURE_THRESHOLD} probes of {path} in a row failed");
        }
    }
}

/// Sends a probe as the kubelet does. Returns `true` if it is answered before the timeout.
fn is_answered(address: SocketAddr, path: &str) -> bool {
    let answer = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PROBE_TIMEOUT)?;
        stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    answer().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Stops the other threads of a test, also if the test fails: their scope waits for them.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Opens connections that send nothing.
fn silent_connections(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    // The soft limit of the test is often 1024.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    (0..count).map(|_| TcpStream::connect(address).unwrap()).collect()
}

/// Returns `true` if the other end has closed or reset the connection.
fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn health_answers_despite_slow_and_invalid_requests() {
    let program = Program::start(&[], &[]);
    let _slow = silent_connections(program.health, 32);
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
fn health_answers_despite_silent_connections() {
    let program = Program::start(&[], &[]);
    eventually("it is ready", || program.is_ready());
    let mut silent = silent_connections(program.health, 150);
    program.answers_probes();
    silent.extend(silent_connections(program.health, 850));
    program.answers_probes();
    // The newest ones are open until their timeout.
    assert!(is_closed(&silent[0]));
    eventually("all silent connections are closed", || silent.iter().all(is_closed));
}

#[test]
fn health_answers_while_silent_connections_keep_arriving() {
    let program = Program::start(&[], &[]);
    eventually("it is ready", || program.is_ready());
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut silent = silent_connections(program.health, 150);
            while !stopped.load(Ordering::Relaxed) {
                silent.push(TcpStream::connect(program.health).unwrap());
                thread::sleep(Duration::from_millis(2));
            }
        });
        let _stop = StopOnDrop(&stopped);
        for _ in 0..50 {
            program.answers_probes();
        }
    });
}

/// A probe on a busy host sends its request later than many others connect.
#[test]
fn health_answers_young_silent_connections_after_many_parts_of_requests() {
    let program = Program::start(&[], &[]);
    eventually("it is ready", || program.is_ready());
    // An attempt in which this process or the program is late proves nothing.
    let mut fast_attempts = 0;
    eventually("three attempts are fast enough", || {
        let is_answered = are_answered_after_parts(program.health);
        assert_ne!(is_answered, Some(false), "a silent connection is not answered");
        fast_attempts += usize::from(is_answered.is_some());
        fast_attempts == 3
    });
}

/// Opens silent connections, and then more connections with a part of a request than the program
/// keeps open. Returns `true` if the silent ones are answered, and `None` if the program no longer
/// protects them by then.
fn are_answered_after_parts(address: SocketAddr) -> Option<bool> {
    let start = Instant::now();
    let is_late = || start.elapsed() >= PROTECTED_AGE;
    let mut silent = silent_connections(address, 4);
    let part = format!("GET /livez HTTP/1.1\r\nA: {}", "x".repeat(7_000));
    let mut parts = Vec::new();
    for _ in 0..MANY_CONNECTIONS {
        let mut stream = TcpStream::connect(address).unwrap();
        // The program may have closed it.
        let _ = stream.write_all(part.as_bytes());
        parts.push(stream);
    }
    let count_closed = || silent.iter().chain(&parts).filter(|stream| is_closed(stream)).count();
    while count_closed() < silent.len() {
        if is_late() {
            return None;
        }
    }
    let is_answered = silent.iter_mut().all(|stream| {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PROBE_TIMEOUT)).unwrap();
        let mut answer = String::new();
        let request = b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";
        let sent = stream.write_all(request);
        let received = sent.and_then(|()| stream.read_to_string(&mut answer));
        received.is_ok() && answer.starts_with("HTTP/1.1 200")
    });
    (!is_late()).then_some(is_answered)
}

#[test]
fn health_answers_while_requests_arrive_byte_by_byte() {
    let program = Program::start(&[], &[]);
    eventually("it is ready", || program.is_ready());
    let mut slow = silent_connections(program.health, 150);
    let start = Instant::now();
    for byte in b"GET /livez HTTP/1.1\r\nHost: h\r\n" {
        slow.retain_mut(|stream| stream.write_all(&[*byte]).is_ok());
        program.answers_probes();
    }
    // An incomplete request does not keep a connection open.
    eventually("the slow connections are closed", || slow.iter().all(is_closed));
    assert!(start.elapsed() < WAIT_TIMEOUT);
}

/// Idle clients take all descriptors outside the reserve, and others wait in the backlog.
#[test]
fn reserve_of_descriptors_serves_health_and_files() {
    let environment = [("SLUICEGATE_WORKERS", "2")];
    let mut program = Program::start_command(program_with_descriptors(256), &[], &environment);
    program.until("ready");
    let mut clients = silent_connections(program.listener, 200);
    // Of 256 descriptors, 64 are reserved, and 4 are for each worker and 64 for pipes.
    let line = program.until("all connections that the limit of open files allows are in use");
    assert_eq!(line["connections"], 60);
    program.answers_probes();
    let _silent = silent_connections(program.health, 150);
    program.answers_probes();

    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    fs::write(&file, manifests(program.listener.port(), backend("two"))).unwrap();
    program.until("1 changed");
    program.answers_probes();

    // Each client is served when enough others have left, and none is reset.
    clients.iter().for_each(|client| client.set_nonblocking(true).unwrap());
    eventually("all clients are served", || {
        clients.retain_mut(|client| match client.read(&mut [0]) {
            Ok(count) => {
                assert_eq!(count, 1, "a client was not served");
                false
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(error) => panic!("a client was reset: {error}; {:#?}", program.log),
        });
        clients.is_empty()
    });
    assert_eq!(name_at(program.listener).as_deref(), Some("two"));
    program.answers_probes();
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
