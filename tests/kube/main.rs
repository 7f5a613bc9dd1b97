//! The Kubernetes source against an API server in the process of the test: that of this crate, with
//! a layer that injects faults.
//!
//! The clock is paused, and advances when all tasks wait for it. So waiting for minutes takes no
//! time.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod claims;
mod classes;
mod controllers;
mod discovery;
mod election;
mod events;
mod faults;
mod field_backoff;
mod harness;
mod lease;
mod namespaces;
mod objects;
mod odd_objects;
mod old_definitions;
mod parents;
mod read_only;
mod releases;
mod relevance;
mod replica;
mod same_plan;
mod services;
mod silence;
mod sockets;
mod stale_reports;
mod starting;
#[path = "../support/mod.rs"]
mod support;
mod traffic;
mod watching;
mod writing;
