//! The file of a store.
//!
//! All reads come from memory, so the file is written during operation and read only when it is
//! opened. It is a database of `redb`: pure Rust, one dependency (`libc`), and copy-on-write
//! B-trees with checksums, so that commits are atomic.

mod database;
mod error;
mod files;
mod folder;
mod folder_lock;
mod medium;
mod pinned_file;
mod place;
mod record;
mod reserved_file;
#[cfg(test)]
pub(super) mod simulation;
mod watchdog;

pub(super) use self::database::Contents;
pub(crate) use self::error::owner_text;
pub use self::error::{DiskError, OpenError};
pub(super) use self::folder::Folder;
pub(super) use self::medium::Medium;
pub use self::place::PlaceError;
#[cfg(test)]
pub(super) use self::watchdog::{Report, Watchdog};
