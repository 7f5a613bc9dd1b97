//! The descriptor that an accepted connection needs for its dial.

#[cfg(target_os = "linux")]
use super::linux::HeldDescriptor;
#[cfg(not(target_os = "linux"))]
use super::unsupported::HeldDescriptor;

/// Reservation of a descriptor for the dial of an accepted connection.
#[derive(Debug)]
pub(in crate::forward) enum Reservation {
    /// The connection was accepted after a check. Dropping the descriptor frees its number for the
    /// dial.
    Held(
        #[cfg_attr(target_os = "linux", expect(dead_code, reason = "keeps the descriptor open"))]
        HeldDescriptor,
    ),
    /// The connection was accepted without a check. Its worker counts it until it dials.
    Counted { worker: usize },
}
