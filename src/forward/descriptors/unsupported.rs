//! Replacement for other systems than Linux: there is no limit, and nothing is reserved.

use std::io;

/// Any type, since no number is needed.
pub(in crate::forward) trait Descriptor {}

impl<T> Descriptor for T {}

/// An uninhabited type, since no descriptor is held.
#[derive(Debug)]
pub(in crate::forward) enum HeldDescriptor {}

pub(super) fn descriptor_limit() -> Option<u64> {
    None
}

pub(super) fn number(_: &impl Descriptor) -> i32 {
    0
}

pub(super) fn open_neutral() -> io::Result<HeldDescriptor> {
    Err(new_exhaustion())
}

pub(super) fn duplicate(_: &impl Descriptor) -> io::Result<HeldDescriptor> {
    Err(new_exhaustion())
}

pub(super) fn is_readable(_: &impl Descriptor) -> bool {
    false
}

pub(super) fn new_exhaustion() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

pub(super) fn is_exhaustion(_: &io::Error) -> bool {
    false
}
