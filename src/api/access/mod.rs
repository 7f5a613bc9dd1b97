//! Access control.

#[allow(clippy::module_inception, reason = "the type of the module")]
mod access;

pub use self::access::Access;
