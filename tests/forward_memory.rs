//! Memory of idle connections. It is measured for the process, so this test has a binary of its
//! own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

use support::stream::Stream;
use support::test_forwarder::TestForwarder;

const KIB: usize = 1024;

/// Size of a buffer. An idle connection must have none, and a stalled one at most one.
const BUFFER: usize = 64 * KIB;

/// Maximum memory of an idle connection: in the proxy, and in the test at both ends.
const CONNECTION: usize = 3 * KIB;

/// Maximum memory that the allocator and the runtimes keep for later use.
const SLACK: usize = 4 * 1024 * KIB;

#[tokio::test]
async fn memory_of_idle_connections_excludes_buffers() {
    // The first connections also allocate what all share, such as the pools of buffers.
    const FIRST: usize = 100;
    const IDLE: usize = 300;
    const STALLED: usize = 50;
    let (proxy, backend) = TestForwarder::to_backend().await;
    let message = "x".repeat(32 * KIB);

    let mut before = 0;
    let mut pairs = Vec::new();
    for number in 0..FIRST + IDLE {
        if number == FIRST {
            before = resident();
        }
        let (mut client, mut server) = proxy.pair(&backend).await;
        client.send(&message).await;
        server.receives(&message).await;
        server.send(&message).await;
        client.receives(&message).await;
        pairs.push((client, server));
    }
    let idle = resident().saturating_sub(before);
    assert!(idle < IDLE * CONNECTION, "{} KiB for {IDLE} idle connections", idle / KIB);

    // Each backend sends as much as the kernel and the proxy buffer, and no client reads.
    let before = resident();
    let relayed = || proxy.counters("tcp").bytes_down;
    let mut last = u64::MAX;
    while last != relayed() {
        last = relayed();
        for (_, server) in &pairs[..STALLED] {
            while server.try_write(message.as_bytes()).is_ok() {}
        }
        sleep(Duration::from_millis(50)).await;
    }
    let stalled = resident().saturating_sub(before);
    assert!(stalled < STALLED * BUFFER + SLACK, "{} KiB for {STALLED} stalled", stalled / KIB);
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * KIB
}
