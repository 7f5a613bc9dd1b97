//! Leader election: of several replicas, the one that holds a Lease writes to the cluster.
//!
//! ```text
//!                 source starts              release()
//!  NotStarted ───────────────────► Running ────────────► Releasing ───► Stopped
//!      │                                                                   ▲
//!      └──────────────────────────── release() ────────────────────────────┘
//!
//!  While Running:
//!
//!              Lease is missing, released or expired,
//!              and this replica's write of it succeeded
//!   follower ───────────────────────────────────────────► leader ──┐ Lease renewed,
//!      ▲                                                  │    ▲   │ every retry period
//!      │   another replica holds the Lease, or            │    └───┘
//!      │   no renewal succeeded within the renew deadline │
//!      └──────────────────────────────────────────────────┘
//! ```
//!
//! The algorithm is that of client-go. A follower measures the age of a Lease with its own clock,
//! from the moment at which it observed the last change. It observes changes by a watch, and reads
//! the Lease only when the Lease seems to have expired. A leader stops writing at the renew
//! deadline, before another replica may consider the Lease as expired.

mod election;
mod handle;
mod leader_election;
mod lease_lock;
mod lease_watch;
mod state;
mod wait_until_free;

pub use self::election::Election;
pub use self::handle::LeaseHandle;
pub(super) use self::leader_election::run_election;
pub(super) use self::wait_until_free::{NotFree, wait_until_free};
