//! Errors that end the program.

use std::io;

use sluicegate::StartError;
use sluicegate::api::{FolderError, ListenError};
use sluicegate::sources::{CleanUpError, KubeError};
use sluicegate::store::OpenError;

use crate::health::HealthError;
use crate::kubeconfig::KubeconfigError;

/// Error that ends the program with exit status 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The kernel provides no event queue.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The handlers of the signals cannot be installed.
    #[error("cannot install the signal handlers")]
    Signals(#[source] io::Error),
    /// The health endpoints cannot be served.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// There is no client for a cluster.
    #[error(transparent)]
    Kubernetes(#[from] KubeError),
    /// The folder of the API cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store of the objects cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The API cannot be served.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// An object of an uninstalled gateway was not removed.
    #[error(transparent)]
    CleanUp(#[from] CleanUpError),
    /// A kubeconfig was not written.
    #[error(transparent)]
    Kubeconfig(KubeconfigError),
    /// The gateway did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A source ended after the start, so that the gateway follows no further changes.
    #[error(
        "source {} failed and no longer receives updates; see the errors logged above",
        .0.join(", ")
    )]
    SourceFailed(Vec<String>),
    /// The gateway stopped without a request, which is a bug.
    #[error("internal error: the gateway stopped unexpectedly; see the log above")]
    Stopped,
}
