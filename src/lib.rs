//! TCP routing with the Kubernetes Gateway API.

pub mod forward;
pub mod model;
pub mod plan;
mod server;
pub mod sources;
pub mod translate;

pub use self::server::{Builder, Handle, ListenerReport, Report, Reports, Server, StartError};
pub use self::translate::translate;
