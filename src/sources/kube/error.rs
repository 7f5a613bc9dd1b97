//! The errors of creating a client and of starting a source.

use std::error::Error;

/// Error of [`KubeSource::infer`](super::KubeSource::infer): no client can be created.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot create a client for the Kubernetes API; outside of a cluster, set KUBECONFIG to the path of a kubeconfig file that kubectl accepts"
)]
pub struct KubeError(#[source] Box<dyn Error + Send + Sync>);

impl KubeError {
    /// Creates the error from its cause.
    pub(super) fn new(cause: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
    }
}

impl From<kube::Error> for KubeError {
    fn from(error: kube::Error) -> Self {
        Self::new(error)
    }
}

/// Error of a source that writes and has an empty identity.
#[derive(Debug, thiserror::Error)]
#[error(
    "KubeSource::identity is empty; set the name of this replica, such as the name of its pod, which no other replica has"
)]
pub(super) struct EmptyIdentity;
