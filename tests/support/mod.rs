//! Helpers for the tests of a running gateway.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sluicegate::{Report, Reports};

/// Timeout of a wait, generous for busy machines. Only failing tests reach it.
pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// A loopback address that no other test has. Gateways there may use any [`free_port`]. (The port of
/// a Gateway's listener is part of its object, so port 0 is not to be had.)
pub(crate) fn own_address() -> IpAddr {
    // Whoever holds this port of an address has the address. The socket is never closed.
    for seed in 0.. {
        let mix = (u64::from(std::process::id()) * 7919 + seed) % (253 * 254 * 254);
        let octet = |part: u64| u8::try_from(part).expect("below 254") + 1;
        let address = Ipv4Addr::new(
            127,
            octet(mix / (254 * 254) + 1),
            octet(mix / 254 % 254),
            octet(mix % 254),
        );
        if let Ok(reservation) = TcpListener::bind((address, 50_009)) {
            std::mem::forget(reservation);
            return address.into();
        }
    }
    unreachable!("there are 16 million of them")
}

/// A port that nobody on this machine has, on any address; each call gives another one. For Gateways
/// at an address of their own: a program that listens on all addresses has the port there too.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Below the ports that the system gives away itself, so that it does not give this one away
    // before it is used. Test processes that run side by side begin at different places.
    let (first, count) = (10_000, 20_000);
    for _ in 0..count {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = first + (std::process::id().wrapping_mul(101) % count + step) % count;
        let port = u16::try_from(port).expect("below 30000");
        if is_free(port) {
            return port;
        }
    }
    panic!("no port is free");
}

/// Whether nobody on this machine has the port, on any address.
pub(crate) fn is_free(port: u16) -> bool {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::AddrInUse => false,
        // Without IPv6.
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok(),
    }
}

/// A backend that says its name to whoever connects, then sends back what it gets.
pub(crate) fn backend(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = writeln!(stream, "{name}");
                let _ = std::io::copy(&mut stream.try_clone().unwrap(), &mut stream);
            });
        }
    });
    address
}

/// The name that whoever answers at an address says; nothing where nobody answers.
pub(crate) fn name_at(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    let mut name = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).ok()? == 1 && byte != *b"\n" {
        name.push(byte[0]);
    }
    if name.is_empty() { None } else { String::from_utf8(name).ok() }
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < WAIT_TIMEOUT, "not in {WAIT_TIMEOUT:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end of a process, and returns its exit status.
pub(crate) fn wait_for_exit(process: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually("the process ends", || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// The first report from now on for which `condition` holds.
pub(crate) async fn report_where(
    reports: &mut Reports,
    what: &str,
    condition: impl Fn(&Report) -> bool,
) -> Arc<Report> {
    let found = async {
        loop {
            let report = reports.next().await.expect("the gateway runs");
            if condition(&report) {
                return report;
            }
        }
    };
    tokio::time::timeout(WAIT_TIMEOUT, found)
        .await
        .unwrap_or_else(|_| panic!("not in {WAIT_TIMEOUT:?}: {what}"))
}

/// The program of an example, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.exists(), "{} is not built; run `cargo build --examples`", path.display());
    // `cargo test --test` builds no examples, and would have us test an old one.
    let sources = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let changed = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    let newest = sources.split_whitespace().filter_map(changed).max();
    assert!(
        newest.unwrap_or(SystemTime::UNIX_EPOCH)
            <= fs::metadata(&path).unwrap().modified().unwrap(),
        "{} is older than its sources; run `cargo build --examples`",
        path.display()
    );
    path
}
