//! A whole gateway with the objects of a store: traffic, status, Events and restarts.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod events;
mod harness;
#[path = "../support/objects.rs"]
mod objects;
mod restart;
mod status;
#[path = "../support/mod.rs"]
mod support;
mod traffic;
