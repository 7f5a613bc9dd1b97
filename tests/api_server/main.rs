//! An API server on a socket: tokens, roles, hosts, TLS, bounds.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod certificates;
mod limits;
mod server;
mod shutdown;
mod start;
