//! TCP routing with the Kubernetes Gateway API.

pub mod forward;
pub mod model;
pub mod plan;
pub mod translate;

pub use self::translate::translate;
