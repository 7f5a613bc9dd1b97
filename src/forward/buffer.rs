//! Pool of copy buffers, one pool per worker thread.
//!
//! A direction acquires a buffer before it reads and releases it as soon as all bytes are written.
//! An idle connection owns no buffer, and a worker whose sinks keep up uses a single one for all
//! its connections.

use std::cell::RefCell;
use std::mem;
use std::ops::{Deref, DerefMut};

/// Size of a buffer in bytes: large enough for few system calls, small enough to stay in the CPU
/// cache.
const BUFFER_SIZE: usize = 64 * 1024;

/// Maximum number of free buffers in the pool of a worker. Further buffers are freed.
const MAX_SPARE_BUFFERS: usize = 16;

thread_local! {
    static POOL: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of [`BUFFER_SIZE`] bytes. Dropping it returns it to the pool.
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    /// Takes a buffer from the pool, or allocates one.
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
        // During thread shutdown the pool may be destroyed already. The buffer is freed then.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MAX_SPARE_BUFFERS {
                pool.push(buffer);
            }
        });
    }
}
