//! The file source in a running gateway: changes of files and their effect on connections.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod changes;
mod harness;
mod last_valid;
#[path = "../support/mod.rs"]
mod support;
