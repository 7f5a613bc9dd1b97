//! Writing into the cluster: the status of its objects, their finalizers, and the Services and
//! EndpointSlices of Gateways.
//!
//! ```text
//! status report, changed objects ──► schedule: object is due ──► write context: what differs
//!                                       ▲                              │ pending write
//!                   failed or finished  │                              ▼
//!                     cache  ◄── object of the response ◄────────── request
//! ```
//!
//! An object that may need a write is enqueued. When it is due, its state is compared with the
//! latest report. So several changes in a row cause one write, and an object that does not differ
//! causes none. A write is delayed if it only repeats values that did not last
//! (`field_backoff.rs`).

mod claim;
mod class_features;
mod field_backoff;
mod field_change;
mod in_flight;
mod lane;
mod leadership;
mod managed_services;
mod observed_claims;
mod orphan_check;
mod pending_write;
mod release_claims;
mod request;
mod results;
mod schedule;
mod service_errors;
mod shared_name;
mod write_context;
mod write_errors;
mod writer;

pub(super) use self::leadership::WriteAccess;
pub(super) use self::write_context::CLASS_FINALIZER;
pub(super) use self::writer::Writer;
