//! The Kubernetes source against an API server that lives in the test's own process.
//!
//! Time stands still unless everybody waits for it, so waiting for minutes takes none.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod classes;
mod controllers;
mod election;
mod events;
mod faults;
mod late;
mod namespaces;
mod objects;
mod parents;
mod read_only;
mod served;
mod services;
mod stage;
mod starting;
#[path = "../support/mod.rs"]
mod support;
mod traffic;
mod watching;
mod writing;
