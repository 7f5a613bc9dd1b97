//! Connections that have not dialled yet.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of connections of a worker that were accepted without a check, and have not dialled yet.
/// The alignment prevents false sharing.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Undialled(AtomicUsize);

impl Undialled {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
