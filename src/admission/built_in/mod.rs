//! Rules of built-in kinds that Kubernetes has in code, with its messages.
//!
//! The objects have their defaults, and their values have the types of the schema.
//!
//! | file | rules |
//! |---|---|
//! | `service`, `service_port`, `cluster_ip` | Service |
//! | `endpoint_slice`, `special_address` | EndpointSlice |
//! | `deployment`, `pod_template` | Deployment |
//! | `config_map`, `secret`, `immutable` | ConfigMap and Secret |
//! | `event`, `lease`, `namespace` | the kinds of these names |
//! | `names`, `read` | syntax of names that several kinds use, access to fields |

mod check;
mod cluster_ip;
mod config_map;
mod deployment;
mod endpoint_slice;
mod event;
mod immutable;
mod lease;
mod names;
mod namespace;
mod pod_template;
mod read;
mod secret;
mod service;
mod service_port;
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod slice_and_event_tests;
mod special_address;
#[cfg(test)]
mod workload_tests;

pub(super) use self::check::{check, keep_allocated};
pub(super) use self::secret::redact as redact_secret;
