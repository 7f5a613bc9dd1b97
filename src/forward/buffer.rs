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

/// Capacity of a small buffer in the pool. Larger ones are freed.
const SMALL_SIZE: usize = 2 * 1024;

/// Maximum number of free small buffers in the pool of a worker.
const MAX_SPARE_SMALL_BUFFERS: usize = 256;

thread_local! {
    static SMALL_POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The first bytes of a client. They wait during the dial, in a buffer of about their size: many
/// dials may be in progress. Dropping it returns the buffer to the pool.
pub(super) struct FirstBytes(Vec<u8>);

impl FirstBytes {
    /// Maximum number of bytes.
    pub(super) const MAX: usize = 16 * 1024;

    /// Copies bytes.
    pub(super) fn copy(bytes: &[u8]) -> Self {
        let spare = SMALL_POOL.with_borrow_mut(Vec::pop);
        let mut buffer = spare.unwrap_or_else(|| Vec::with_capacity(SMALL_SIZE.max(bytes.len())));
        buffer.extend_from_slice(bytes);
        Self(buffer)
    }
}

impl Deref for FirstBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for FirstBytes {
    fn drop(&mut self) {
        let mut buffer = mem::take(&mut self.0);
        if buffer.capacity() > SMALL_SIZE {
            return;
        }
        buffer.clear();
        // During thread shutdown the pool may be destroyed already. The buffer is freed then.
        let _ = SMALL_POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MAX_SPARE_SMALL_BUFFERS {
                pool.push(buffer);
            }
        });
    }
}
