//! The round-robin positions of a backend.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Round-robin positions in the endpoints of a backend. All workers share them.
#[derive(Debug)]
pub(in crate::forward) struct Rotation {
    next: AtomicUsize,
    /// Position among the other endpoints, for attempts that cannot use the next endpoint. It
    /// spreads these attempts evenly. If they used the neighbour instead, the endpoint after a
    /// failed one would get all of its connections.
    next_other: AtomicUsize,
}

impl Rotation {
    /// Creates a rotation that begins at a position, which may exceed the number of endpoints.
    pub(in crate::forward) fn starting_at(position: usize) -> Self {
        Self { next: AtomicUsize::new(position), next_other: AtomicUsize::new(position) }
    }

    /// Returns the next of `count` endpoints.
    pub(super) fn advance(&self, count: usize) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % count
    }

    /// Returns a pseudo-random generator. Each one has another seed.
    pub(super) fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.next_other.fetch_add(1, Ordering::Relaxed) as u64)
    }

    /// Returns the next of `count` other endpoints.
    pub(super) fn advance_other(&self, count: usize) -> usize {
        self.next_other.fetch_add(1, Ordering::Relaxed) % count
    }
}
