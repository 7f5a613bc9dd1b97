//! Buffers, owned by the worker and lent to a direction for as long as it has bytes in hand.
//!
//! A direction borrows one to read into and gives it back as soon as the bytes are written, so an idle
//! connection owns none, and a worker whose peers keep up uses a single one for all of them.

use std::cell::RefCell;
use std::mem;
use std::ops::{Deref, DerefMut};

/// Large enough for few system calls where there is much to carry, small enough to stay in the cache.
const BUFFER_SIZE: usize = 64 * 1024;

/// Buffers a worker keeps for the next stalls; more go back to the allocator.
const MAX_SPARE_BUFFERS: usize = 16;

thread_local! {
    static POOL: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of [`BUFFER_SIZE`] bytes, given back when dropped.
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    pub(super) fn acquire() -> Self {
        let spare = POOL.with_borrow_mut(Vec::pop);
        Self(spare.unwrap_or_else(|| vec![0; BUFFER_SIZE].into_boxed_slice()))
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let buffer = mem::take(&mut self.0);
        // While the thread ends there may be no pool left; the allocator takes the buffer then.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MAX_SPARE_BUFFERS {
                pool.push(buffer);
            }
        });
    }
}
