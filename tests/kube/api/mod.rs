//! An API server for the source: the crate's own, with a layer that injects faults.
//!
//! [`ApiService`](sluicegate::api::ApiService) serves the objects of a store in memory, as the
//! transport of a [`kube::Client`]. Before it is a layer that records the requests, refuses, delays
//! or loses them, ends watches, and hides definitions. Objects are JSON, with names such as
//! `tcproutes/default/r` or `gatewayclasses/c`. A test creates, changes and deletes objects as
//! kubectl does, inspects the requests, and injects faults.

mod answer;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod api;
mod block_on;
mod client;
mod definitions;
mod faults;
mod kubectl;
mod loose;
mod nodes;
mod objects;
mod request;
mod rule;
mod server;
mod service_allocator;
mod state;
mod watch_body;

pub(crate) use self::api::Api;
pub(crate) use self::definitions::Installed;
pub(crate) use self::request::Request;
pub(crate) use self::rule::Effect;
pub(crate) use self::state::State;
