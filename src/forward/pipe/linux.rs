//! `splice(2)` through pipes.

use std::cell::RefCell;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::pipe2;

/// What a pipe holds, in bytes. The system allows an ordinary user no larger one
/// (`fs.pipe-max-size`); with the usual 64 KiB there are so many calls that copying costs less.
pub(in crate::forward) const CAPACITY: usize = 1 << 20;

/// Pipes that the workers of a forwarder have at most, though each at least one. An ordinary user gets 64 of this size in all
/// (`fs.pipe-user-pages-soft`), unless the system says otherwise, and any other that he opens
/// then is a very small one.
const MAX_PIPES: usize = 32;

/// Pipes that a worker keeps for the next bulk. More are a moment's need.
const MAX_SPARE_PIPES: usize = 4;

/// How long to do without, where a pipe could not be had.
const OPEN_RETRY_DELAY: Duration = Duration::from_secs(1);

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

struct Pool {
    spare: Vec<PipeEnds>,
    in_use: usize,
    limit: usize,
    retry_at: Option<Instant>,
}

impl Pool {
    const fn new() -> Self {
        Self { spare: Vec::new(), in_use: 0, limit: 1, retry_at: None }
    }

    fn acquire(&mut self) -> Option<PipeEnds> {
        if self.in_use >= self.limit {
            return None;
        }
        let ends = match self.spare.pop() {
            Some(ends) => ends,
            None if self.retry_at.is_some_and(|time| Instant::now() < time) => return None,
            None => {
                let opened = PipeEnds::open();
                self.retry_at =
                    if opened.is_none() { Some(Instant::now() + OPEN_RETRY_DELAY) } else { None };
                opened?
            }
        };
        self.in_use += 1;
        Some(ends)
    }

    fn release(&mut self, ends: Option<PipeEnds>) {
        self.in_use -= 1;
        if self.spare.len() < MAX_SPARE_PIPES.min(self.limit) {
            self.spare.extend(ends);
        }
    }

    fn disable(&mut self) {
        self.limit = 0;
        self.spare.clear();
    }
}

struct PipeEnds {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// A pipe, given back when dropped; or closed, if there is something left in it.
pub(in crate::forward) struct Pipe {
    /// There until it is dropped.
    ends: Option<PipeEnds>,
    held: usize,
}

/// Prepares a thread that is one of so many workers.
///
/// A pipe, unlike a buffer, cannot be written to a lost peer without a SIGPIPE, and it is not ours to
/// say what that does to the process.
pub(in crate::forward) fn prepare_worker(workers: NonZeroUsize) {
    let mut pipe = SigSet::empty();
    pipe.add(Signal::SIGPIPE);
    // It fails only for want of such a signal.
    let _ = pipe.thread_block();
    POOL.with_borrow_mut(|pool| pool.limit = (MAX_PIPES / workers.get()).max(1));
}

impl Pipe {
    /// An empty pipe; `None` where there is none to be had.
    pub(in crate::forward) fn acquire() -> Option<Self> {
        let ends = POOL.with_borrow_mut(Pool::acquire)?;
        Some(Self { ends: Some(ends), held: 0 })
    }

    /// Whether nothing is in it.
    pub(in crate::forward) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Moves at most `limit` bytes that `socket` has to read into the pipe, which must be empty, and
    /// says how many. Where that is 0, it says nothing of the socket.
    ///
    /// # Errors
    /// The socket's.
    pub(in crate::forward) fn fill(
        &mut self,
        socket: impl AsFd,
        limit: usize,
    ) -> io::Result<usize> {
        debug_assert!(self.is_empty());
        let (into, from) = (&self.ends().writer, socket.as_fd());
        self.held = match retry_on_eintr(|| splice(from, None, into, None, limit, NONBLOCK)) {
            Ok(moved) => moved,
            Err(Errno::EAGAIN) => 0,
            // Nothing is moved on this system; a filter of system calls may say so, for one.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES | Errno::EINVAL) => {
                POOL.with_borrow_mut(Pool::disable);
                0
            }
            Err(error) => return Err(error.into()),
        };
        Ok(self.held)
    }

    /// Moves what `socket` takes out of the pipe, and says how many bytes.
    ///
    /// # Errors
    /// The socket's; the pipe must not be empty, so that `WouldBlock` cannot be the pipe's.
    pub(in crate::forward) fn empty(&mut self, socket: impl AsFd) -> io::Result<usize> {
        debug_assert!(!self.is_empty());
        let (from, into) = (&self.ends().reader, socket.as_fd());
        let moved = retry_on_eintr(|| splice(from, None, into, None, self.held, NONBLOCK))?;
        self.held -= moved;
        Ok(moved)
    }

    fn ends(&self) -> &PipeEnds {
        self.ends.as_ref().expect("a pipe has ends")
    }
}

/// What a call comes to when no signal gets in its way.
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
    /// It fails for want of descriptors, or of pages that this user may still put into pipes.
    fn open() -> Option<Self> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).ok()?;
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(CAPACITY.try_into().ok()?)).ok()?;
        Some(Self { reader, writer })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // What is left in it belongs to nobody any more, least of all to the next who takes it.
        let ends = self.ends.take().filter(|_| self.is_empty());
        // While the thread ends there may be no pool; then the pipe is closed as well.
        let _ = POOL.try_with(|pool| pool.borrow_mut().release(ends));
    }
}
