//! System calls on descriptors.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

pub(in crate::forward) use std::os::fd::AsFd as Descriptor;

/// A duplicate, which keeps a descriptor number in use until it is dropped.
pub(in crate::forward) type HeldDescriptor = OwnedFd;

/// Returns the soft limit of descriptors of this process; `None` if it is unlimited.
pub(super) fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Returns the number of a descriptor.
pub(super) fn number(descriptor: &impl AsFd) -> i32 {
    descriptor.as_fd().as_raw_fd()
}

/// Opens a descriptor that has no effect. It needs no file system.
pub(super) fn open_neutral() -> io::Result<HeldDescriptor> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC)?)
}

/// Duplicates a descriptor; the duplicate has the lowest free number.
///
/// # Errors
/// `EMFILE` without a free descriptor.
pub(super) fn duplicate(descriptor: &impl AsFd) -> io::Result<HeldDescriptor> {
    descriptor.as_fd().try_clone_to_owned()
}

/// Returns `true` if a read, or an accept, would not wait.
pub(super) fn is_readable(descriptor: &impl AsFd) -> bool {
    let mut events = [PollFd::new(descriptor, PollFlags::IN)];
    poll(&mut events, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// Returns the error of a process without a free descriptor.
pub(super) fn new_exhaustion() -> io::Error {
    Errno::MFILE.into()
}

/// Returns `true` if the process had no free descriptor.
pub(super) fn is_exhaustion(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::MFILE)
}
