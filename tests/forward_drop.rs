//! A forwarder that is dropped, with the subscriber that programs use.
//!
//! The subscriber keeps its buffer in a thread-local, so it cannot log in a thread-local destructor.
//! In such a destructor, a panic aborts the process.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::io;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use support::peer::Backend;
use support::plans::{ANY, plan, settings, to};
use support::stream::Stream;
use support::test_forwarder::TestForwarder;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct LogOutput;

impl io::Write for LogOutput {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn drop_reports_suppressed_lines_of_open_connections() {
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOutput).init();
    let backend = Backend::listen().await;
    let settings = settings(1).with_connection_log_limit(NonZeroU32::new(1));
    let proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&[backend.address]))])).await;
    let mut kept = Vec::new();
    for _ in 0..20 {
        let (mut client, mut server) = (proxy.connect("tcp").await, backend.accept().await);
        server.send("hello").await;
        client.receives("hello").await;
        kept.push((client, server));
    }
    drop(proxy);
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let lines = log.lines().filter(|line| line.contains("connection ended")).count();
    let suppressed = log.lines().filter_map(|line| line.split("suppressed=").nth(1));
    let suppressed: usize =
        suppressed.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert!(suppressed > 0, "{log}");
    assert_eq!(lines + suppressed, 20, "{log}");
}
