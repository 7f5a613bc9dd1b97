//! The Services in front of Gateways: what they should look like, given what is there.
//!
//! Every Gateway has a Service of its own, in its namespace, which the Gateway owns. The Service has
//! no selector, since one could not reach pods of another namespace. Its EndpointSlices are copies
//! of those of this gateway's replicas, but lead to the Gateway's own pod ports.
//!
//! These are functions without I/O. An object that should exist is a `wanted` one; its `corrected`
//! is what there is, with everything of ours put right and everything of others kept. If the two are
//! the same, nothing is to be written. What is not ours comes back as it is.

mod keep;
#[cfg(test)]
mod keep_tests;
mod metadata;
mod ports;
mod service;
mod slices;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::model::{NamespacedName, PortNumber};

pub(super) use self::keep::{Wanted, is_left_over, wanted};
use self::ports::{assign, existing};
use self::service::WantedService;
use self::slices::WantedSlice;
pub use self::template::ServiceTemplate;

/// The pod port to which each listener port of a Gateway leads.
pub(super) type PodPorts = BTreeMap<(NamespacedName, PortNumber), PortNumber>;
