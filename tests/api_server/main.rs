//! An API server on a socket: tokens, roles, hosts, TLS, bounds.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod certificates;
mod full_disk;
mod limits;
#[cfg(target_os = "linux")]
#[path = "../support/objects.rs"]
mod objects;
mod server;
mod shutdown;
mod start;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
#[path = "../support/tmpfs.rs"]
mod tmpfs;
mod watchers;
