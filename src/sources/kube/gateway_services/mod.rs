//! The Services in front of Gateways: the desired state, as functions without I/O.
//!
//! Every Gateway has a Service of its own. All of them are in the namespace of the release, with a
//! selector on the replicas of this gateway, so the controllers of the cluster maintain their
//! EndpointSlices. Authors of Gateways cannot edit Services there. The owner of a Service is
//! recorded in labels, because an owner reference cannot refer to an object of another namespace.
//!
//! A [`DesiredService`] contains the fields that this controller owns. `apply_to` sets them in the
//! live object and keeps all other fields. If the result equals the live object, nothing needs to
//! be written. A Service that does not belong to the Gateway is returned unchanged.

mod desired;
mod desired_service;
#[cfg(test)]
mod desired_tests;
mod orphans;
mod service_metadata;
#[cfg(test)]
mod service_tests;
mod template;

pub(super) use self::desired::desired_services;
pub(super) use self::desired_service::DesiredService;
pub(super) use self::orphans::{Orphan, ServiceOwner, ServicePolicy, find_orphan};
pub use self::template::ServiceTemplate;
