//! The files source, through a running gateway: what is done to files, and what comes of it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod follower;
mod following;
mod last_good;
#[path = "../support/mod.rs"]
mod support;
