//! The program as its user runs it: options, logs, health, signals.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod command_line;
mod files;
mod health;
mod kubeconfig;
mod kubernetes;
mod log;
mod namespaces;
mod process;
mod shutdown;
mod signals;
#[path = "../support/mod.rs"]
mod support;
