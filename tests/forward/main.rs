//! The forwarding engine with real clients and backends, over loopback sockets on ephemeral ports.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bind;
mod bytes;
mod dial;
mod drain;
mod own_sockets;
mod reload;
mod resets;
mod shares;
mod spread;
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;
