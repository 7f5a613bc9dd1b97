//! Kubeconfigs: the configuration of kubectl and of client libraries for an API server.

mod error;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod kubeconfig;

pub use self::error::KubeconfigError;
pub use self::kubeconfig::Kubeconfig;
