//! Pipes, owned by the worker and lent to a direction for as long as it has bytes in hand.
//!
//! Through a pipe, bulk goes from socket to socket without being copied (`splice(2)`). A pipe is
//! lent as a buffer is: an idle connection has none, and a worker whose peers keep up uses a single
//! one for all of them.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::pipe2;

/// What a pipe holds, in bytes. The system allows an ordinary user no larger one
/// (`fs.pipe-max-size`); with the usual 64 KiB there are so many calls that copying costs less.
pub(super) const CAPACITY: usize = 1 << 20;

/// Pipes that a worker has at most. An ordinary user gets 64 of this size in all
/// (`fs.pipe-user-pages-soft`), unless the system says otherwise.
const MOST: usize = 32;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

struct Pool {
    spare: Vec<Ends>,
    lent: usize,
    /// Whether pipes are of no use here.
    is_closed: bool,
}

impl Pool {
    const fn new() -> Self {
        Self { spare: Vec::new(), lent: 0, is_closed: false }
    }

    fn lend(&mut self) -> Option<Ends> {
        if self.is_closed || self.lent == MOST {
            return None;
        }
        let ends = self.spare.pop().or_else(Ends::open)?;
        self.lent += 1;
        Some(ends)
    }

    fn take_back(&mut self, ends: Option<Ends>) {
        self.lent -= 1;
        self.spare.extend(ends);
    }
}

struct Ends {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// A pipe, given back when dropped; or closed, if there is something left in it.
pub(super) struct Pipe {
    /// There until it is dropped.
    ends: Option<Ends>,
    held: usize,
}

/// Prepares the thread: a pipe, unlike a buffer, cannot be written to a lost peer without a SIGPIPE,
/// and it is not ours to say what that does to the process.
pub(super) fn ready_thread() {
    let mut pipe = SigSet::empty();
    pipe.add(Signal::SIGPIPE);
    // It fails only for want of such a signal.
    let _ = pipe.thread_block();
}

impl Pipe {
    /// An empty pipe; `None` where there is none to be had.
    pub(super) fn take() -> Option<Self> {
        let ends = POOL.with_borrow_mut(Pool::lend)?;
        Some(Self { ends: Some(ends), held: 0 })
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Moves at most `limit` bytes that `socket` has to read into the pipe, and says how many; 0 is the
    /// end.
    ///
    /// # Errors
    /// The socket's; the pipe must be empty, so that `WouldBlock` cannot be the pipe's. Or
    /// `Unsupported` where the system does not move bytes, and then the thread has no pipe any more.
    pub(super) fn fill(&mut self, socket: impl AsFd, limit: usize) -> io::Result<usize> {
        debug_assert!(self.is_empty());
        match splice(socket, None, &self.ends().writer, None, limit, NONBLOCK) {
            Ok(moved) => {
                self.held = moved;
                Ok(moved)
            }
            // Such as a system call filter says.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL) => {
                POOL.with_borrow_mut(|pool| pool.is_closed = true);
                Err(io::ErrorKind::Unsupported.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Moves what `socket` takes out of the pipe, and says how many bytes.
    ///
    /// # Errors
    /// The socket's. The pipe must not be empty, for the same reason.
    pub(super) fn empty(&mut self, socket: impl AsFd) -> io::Result<usize> {
        debug_assert!(!self.is_empty());
        let moved = splice(&self.ends().reader, None, socket, None, self.held, NONBLOCK)?;
        self.held -= moved;
        Ok(moved)
    }

    fn ends(&self) -> &Ends {
        self.ends.as_ref().expect("a pipe has ends")
    }
}

const NONBLOCK: SpliceFFlags = SpliceFFlags::SPLICE_F_NONBLOCK;

impl Ends {
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
        let _ = POOL.try_with(|pool| pool.borrow_mut().take_back(ends));
    }
}
