//! A Kubernetes cluster as a source.
//!
//! ```text
//! discovery ──► watch, one for each kind ──► cache ──► snapshot ──► the gateway
//!                                              │                        │ status report
//!                                              └──────► write ◄─────────┘
//!                                                         └──► API server
//! ```
//!
//! Nothing is published before every watch has listed its objects: if a snapshot contained only
//! some of the objects, the others would count as deleted. After that, no failure of the API server
//! removes an object: an object stays until a watch reports that it was deleted.

mod active_errors;
mod backends;
mod cache;
#[cfg(test)]
mod cache_tests;
mod clean_up;
mod client;
mod compact;
mod discovery;
mod endpoint;
mod error;
mod error_text;
mod event_loop;
mod event_recorder;
mod gateway_api_version;
mod gateway_services;
mod host_name;
mod invalid_objects;
mod lease;
mod object_json;
mod object_map;
mod observed;
mod operation;
mod raw_object;
mod references;
mod request_limits;
mod scope;
mod served_kinds;
mod settings;
mod source;
mod versions;
mod watch;
mod write;

pub use self::clean_up::{CleanUpError, CleanUpFailure};
pub use self::endpoint::EndpointHandle;
pub use self::error::KubeError;
pub use self::gateway_services::ServiceTemplate;
pub use self::lease::{Election, LeaseHandle};
pub use self::source::KubeSource;
pub use self::watch::WatchHandle;
