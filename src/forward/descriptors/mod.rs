//! Reserve of file descriptors, for everything that does not grow with load.
//!
//! A process whose connections use all descriptors cannot answer a probe, connect to the API
//! server, resolve a name or read a file. So the engine leaves the last descriptors before the
//! limit (`RLIMIT_NOFILE`) unused. The kernel allocates the lowest free number, so a number shows
//! how many descriptors were in use at that time: the engine compares numbers and counts nothing.
//!
//! ```text
//! 0              half                           end      dial end        limit
//! ├───────────────┼──────────────────────────────┼──────────┼───────────────┤
//!  accepts are not  each accept holds two numbers  dials may   for the rest
//!  checked          below the end, or waits        end here    of the process
//! ```
//!
//! Below one half, no check is needed, even if no accepted connection has dialled yet: the dials
//! need as many descriptors again at most. When an accepted socket reaches one half, accepting
//! pauses until they have dialled. From then on, an accept first duplicates a neutral descriptor
//! twice. If both numbers are below the end, one is for the accepted socket, and the connection
//! holds the other one until it dials. Otherwise the connection waits in the backlog.
//!
//! Checks end when the numbers of 1,024 checks in a row are below one quarter. These may still be
//! the only free numbers, so from then on few connections of a worker may be accepted before they
//! dial: one more starts the checks again. The numbers after the end are enough for their dials.

mod bounds;
mod checking;
mod limit;
#[cfg(target_os = "linux")]
mod linux;
mod reservation;
mod undialled;
#[cfg(not(target_os = "linux"))]
mod unsupported;
mod usable;

pub(super) use self::limit::DescriptorLimit;
pub(super) use self::reservation::Reservation;
pub(super) use self::usable::usable;
