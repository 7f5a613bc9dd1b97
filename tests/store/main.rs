//! The store of the API source, through its public interface.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod conflicts;
mod dependents;
mod expiry;
mod folder;
mod folder_changes;
mod full_disk;
mod kill;
mod limits;
mod lists;
mod log_events;
mod metadata;
mod namespaces;
mod panics;
mod properties;
mod support;
#[cfg(target_os = "linux")]
#[path = "../support/tmpfs.rs"]
mod tmpfs;
mod watches;
mod writes;
