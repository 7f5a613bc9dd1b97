//! Number of descriptors for the engine.

use super::bounds::unreserved;
#[cfg(target_os = "linux")]
use super::linux::descriptor_limit;
#[cfg(not(target_os = "linux"))]
use super::unsupported::descriptor_limit;

/// Returns the number of descriptors that this process may have apart from the reserve; `None` if
/// it is not limited.
pub(in crate::forward) fn usable(reserve: usize) -> Option<u64> {
    Some(unreserved(descriptor_limit()?, reserve))
}
