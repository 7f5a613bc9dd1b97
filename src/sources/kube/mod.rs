//! A Kubernetes cluster as a source.

#[allow(dead_code, unused_imports, reason = "tested here, used by the rest of the source")]
mod services;

pub use self::services::ServiceTemplate;
