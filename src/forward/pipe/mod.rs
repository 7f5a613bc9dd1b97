//! Pipes, owned by the worker and lent to a direction for as long as it has bytes in hand.
//!
//! Through a pipe, bulk goes from socket to socket without being copied (`splice(2)`). A pipe is
//! lent as a buffer is: an idle connection has none, and a worker whose peers keep up uses a single
//! one for all of them.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
pub(super) use self::linux::{CAPACITY, Pipe, prepare_worker};
#[cfg(not(target_os = "linux"))]
pub(super) use self::unsupported::{CAPACITY, Pipe, prepare_worker};
