//! Buffers, owned by the worker and lent to a relay for as long as it has bytes in hand.
//!
//! A relay borrows one to read into and gives it back as soon as the bytes are written, so an idle
//! connection owns none, and a worker whose peers keep up uses a single one for all of them.

use std::cell::RefCell;

/// Large enough that a bulk transfer costs few system calls, small enough to stay in the cache.
pub(super) const BUFFER_SIZE: usize = 64 * 1024;

/// Buffers a worker keeps for the next stalls; more go back to the allocator.
const SPARE: usize = 16;

thread_local! {
    static POOL: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of [`BUFFER_SIZE`] bytes.
pub(super) fn take() -> Box<[u8]> {
    let spare = POOL.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| vec![0; BUFFER_SIZE].into_boxed_slice())
}

/// Gives a buffer back.
pub(super) fn give_back(buffer: Box<[u8]>) {
    POOL.with_borrow_mut(|pool| {
        if pool.len() < SPARE {
            pool.push(buffer);
        }
    });
}
