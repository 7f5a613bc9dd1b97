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

/// A relay's buffer: what an idle connection must not have, and a stalled one may have once.
const BUFFER: usize = 64 * KIB;

/// What an idle connection may cost: in the proxy, and in the test at both ends.
const CONNECTION: usize = 3 * KIB;

/// What the allocator and the runtimes may keep back.
const SLACK: usize = 4 * 1024 * KIB;

#[tokio::test]
async fn memory_of_idle_connections_excludes_buffers() {
    // The first connections also pay for what all connections share, such as the pools of buffers.
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
        client.say(&message).await;
        server.hears(&message).await;
        server.say(&message).await;
        client.hears(&message).await;
        pairs.push((client, server));
    }
    let idle = resident().saturating_sub(before);
    assert!(idle < IDLE * CONNECTION, "{} KiB for {IDLE} idle connections", idle / KIB);

    // Nobody listens, and everybody says as much as the system takes.
    let before = resident();
    let said = || proxy.counters("tcp").bytes_down;
    let mut moved = u64::MAX;
    while moved != said() {
        moved = said();
        for (_, server) in &pairs[..STALLED] {
            while server.try_write(message.as_bytes()).is_ok() {}
        }
        sleep(Duration::from_millis(50)).await;
    }
    let stalled = resident().saturating_sub(before);
    assert!(stalled < STALLED * BUFFER + SLACK, "{} KiB for {STALLED} stalled", stalled / KIB);
}

/// Bytes of memory in use.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * KIB
}
