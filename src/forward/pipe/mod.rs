//! Pool of pipes, one pool per worker thread.
//!
//! On Linux, `splice(2)` moves bulk data from socket to socket through a pipe, without copying it.
//! A direction acquires a pipe when it transfers bulk data, and releases it as soon as all bytes
//! are written. An idle connection owns no pipe, and a worker whose sinks keep up uses a single one
//! for all its connections.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
pub(super) use self::linux::{CAPACITY, MAX_PIPES, Pipe, prepare_worker};
#[cfg(not(target_os = "linux"))]
pub(super) use self::unsupported::{CAPACITY, MAX_PIPES, Pipe, prepare_worker};
