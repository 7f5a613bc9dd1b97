//! The Services in front of Gateways: the desired state, as functions without I/O.
//!
//! Every Gateway has a Service of its own, in its namespace, which the Gateway owns. The Service
//! has no selector, because a selector cannot match pods of another namespace. Its EndpointSlices
//! are copies of those of this gateway's replicas, but with the Gateway's own pod ports.
//!
//! A [`DesiredObject`] contains the fields that this controller owns. `apply_to` sets them in the
//! live object and keeps all other fields. If the result equals the live object, nothing needs to
//! be written. An object that the Gateway does not own is returned unchanged.

mod desired;
mod desired_service;
mod desired_slice;
#[cfg(test)]
mod desired_tests;
#[cfg(test)]
mod object_tests;
mod orphans;
mod owned_metadata;
mod template;

pub(super) use self::desired::{DesiredObject, desired_objects};
pub(super) use self::orphans::is_orphaned;
pub use self::template::ServiceTemplate;
