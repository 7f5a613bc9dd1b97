//! The objects of a [`store::Store`](crate::store::Store) as a source, as the API serves them.
//!
//! ```text
//! store ──► watch ──► object cache ──► snapshot ──► the gateway
//!   ▲                      │                            │ status report
//!   └── status, Events ◄───┴────────────────────────────┘
//! ```
//!
//! The source follows the store by a watch. A status is written only if it differs from the stored
//! one, and translation reads nothing of it but the addresses of Gateways, so that a write causes
//! no further translation.

mod event_loop;
mod event_recorder;
mod missing_references;
mod object_cache;
mod pending_objects;
mod report_comparison;
mod source;
mod status_writer;
mod waiting_warnings;
mod write_backoff;

pub use self::source::ApiSource;
