//! The file source in a running gateway: changes of files and their effect on connections.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod changes;
mod followed;
mod harness;
mod large;
mod last_valid;
mod paths;
#[path = "../support/mod.rs"]
mod support;
