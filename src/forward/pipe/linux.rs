//! The pool of pipes on Linux.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::pipe2;

use crate::forward::descriptors::DescriptorLimit;

/// Capacity of a pipe in bytes: the maximum for unprivileged users (`fs.pipe-max-size`). With the
/// default of 64 KiB, splice(2) needs so many calls that copying is cheaper.
pub(in crate::forward) const CAPACITY: usize = 1 << 20;

/// Maximum number of pipes over all workers of a forwarder, but at least one per worker.
/// Unprivileged users get 64 pipes of this size (`fs.pipe-user-pages-soft`); the kernel limits
/// further pipes to one or two pages.
pub(in crate::forward) const MAX_PIPES: usize = 32;

/// Maximum number of free pipes in the pool of a worker. Further pipes are closed.
const MAX_SPARE_PIPES: usize = 4;

/// Time to wait before the next attempt after a pipe could not be opened. Data is copied until
/// then.
const OPEN_RETRY_DELAY: Duration = Duration::from_secs(1);

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// The pipes of a worker.
struct Pool {
    spare: Vec<PipeEnds>,
    in_use: usize,
    /// Maximum of `in_use`.
    limit: usize,
    /// Time of the next attempt to open a pipe, if the last one failed.
    retry_at: Option<Instant>,
    /// Set in [`prepare_worker`]. Not the engine: the pool is dropped by a thread-local destructor,
    /// which must not drop the last reference to it.
    descriptors: Option<Arc<DescriptorLimit>>,
}

impl Pool {
    const fn new() -> Self {
        Self { spare: Vec::new(), in_use: 0, limit: 1, retry_at: None, descriptors: None }
    }

    fn acquire(&mut self) -> Option<PipeEnds> {
        if self.in_use >= self.limit {
            return None;
        }
        let ends = match self.spare.pop() {
            Some(ends) => ends,
            None if self.retry_at.is_some_and(|time| Instant::now() < time) => return None,
            None => {
                let opened = self.open();
                self.retry_at =
                    if opened.is_none() { Some(Instant::now() + OPEN_RETRY_DELAY) } else { None };
                opened?
            }
        };
        self.in_use += 1;
        Some(ends)
    }

    /// Opens a pipe; `None` without free file descriptors outside the reserve, or if the user's
    /// limit of pipe pages is reached.
    fn open(&self) -> Option<PipeEnds> {
        let ends = PipeEnds::open()?;
        if let Some(descriptors) = &self.descriptors {
            descriptors.check(&ends.reader).ok()?;
            descriptors.check(&ends.writer).ok()?;
        }
        Some(ends)
    }

    fn release(&mut self, ends: Option<PipeEnds>) {
        self.in_use -= 1;
        if self.spare.len() < MAX_SPARE_PIPES.min(self.limit) {
            self.spare.extend(ends);
        }
    }

    /// Stops handing out pipes: splice(2) does not work here.
    fn disable(&mut self) {
        self.limit = 0;
        self.spare.clear();
    }
}

struct PipeEnds {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// An acquired pipe. Dropping it returns it to the pool if it is empty, and closes it otherwise.
pub(in crate::forward) struct Pipe {
    /// `None` only during drop.
    ends: Option<PipeEnds>,
    /// Number of bytes in the pipe.
    bytes: usize,
}

/// Prepares the current thread as one of `workers` threads.
///
/// splice(2) to a socket whose peer is lost raises SIGPIPE, and has no flag like `MSG_NOSIGNAL`.
/// The action of the signal applies to the whole process and belongs to the embedding program, so
/// the worker blocks the signal in its own thread instead.
pub(in crate::forward) fn prepare_worker(workers: usize, descriptors: &Arc<DescriptorLimit>) {
    let mut pipe = SigSet::empty();
    pipe.add(Signal::SIGPIPE);
    // It fails only for an invalid signal set.
    let _ = pipe.thread_block();
    POOL.with_borrow_mut(|pool| {
        pool.limit = (MAX_PIPES / workers).max(1);
        pool.descriptors = Some(descriptors.clone());
    });
}

impl Pipe {
    /// Takes an empty pipe from the pool, or opens one; `None` if the limit is reached or opening
    /// failed.
    pub(in crate::forward) fn acquire() -> Option<Self> {
        let ends = POOL.with_borrow_mut(Pool::acquire)?;
        Some(Self { ends: Some(ends), bytes: 0 })
    }

    /// Returns `true` if the pipe contains no bytes.
    pub(in crate::forward) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Moves at most `limit` bytes from `socket` into the pipe, which must be empty, and returns
    /// the number of bytes. 0 does not imply EOF: the caller must read from the socket to find out.
    ///
    /// # Errors
    /// The error of the socket.
    pub(in crate::forward) fn fill(
        &mut self,
        socket: impl AsFd,
        limit: usize,
    ) -> io::Result<usize> {
        debug_assert!(self.is_empty());
        let (into, from) = (&self.ends().writer, socket.as_fd());
        self.bytes = match retry_on_eintr(|| splice(from, None, into, None, limit, NONBLOCK)) {
            Ok(moved) => moved,
            Err(Errno::EAGAIN) => 0,
            // splice(2) is not available for these sockets, or blocked, for example by seccomp.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES | Errno::EINVAL) => {
                POOL.with_borrow_mut(Pool::disable);
                0
            }
            Err(error) => return Err(error.into()),
        };
        Ok(self.bytes)
    }

    /// Moves bytes from the pipe to `socket` until its send buffer is full, and returns their
    /// number.
    ///
    /// # Errors
    /// The error of the socket. The pipe must not be empty, since `WouldBlock` would then be
    /// ambiguous.
    pub(in crate::forward) fn empty(&mut self, socket: impl AsFd) -> io::Result<usize> {
        debug_assert!(!self.is_empty());
        let (from, into) = (&self.ends().reader, socket.as_fd());
        let moved = retry_on_eintr(|| splice(from, None, into, None, self.bytes, NONBLOCK))?;
        self.bytes -= moved;
        Ok(moved)
    }

    fn ends(&self) -> &PipeEnds {
        self.ends.as_ref().expect("BUG: pipe used after drop")
    }
}

/// Repeats a call that a signal interrupts.
fn retry_on_eintr<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

const NONBLOCK: SpliceFFlags = SpliceFFlags::SPLICE_F_NONBLOCK;

impl PipeEnds {
    /// Opens a pipe; `None` without a free file descriptor, or if the user's limit of pipe pages is
    /// reached.
    fn open() -> Option<Self> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).ok()?;
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(CAPACITY.try_into().ok()?)).ok()?;
        Some(Self { reader, writer })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Remaining bytes must never reach another connection, so the pipe is closed.
        let ends = self.ends.take().filter(|_| self.is_empty());
        // During thread shutdown the pool may be destroyed already. The pipe is closed then.
        let _ = POOL.try_with(|pool| pool.borrow_mut().release(ends));
    }
}
