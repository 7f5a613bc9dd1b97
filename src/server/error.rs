//! Errors of starting a gateway.

use std::io;

use crate::model::{GatewayController, InvalidScalar};
use crate::sources::SourceError;

/// Reason why a gateway could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The gateway has no source.
    #[error("the gateway has no source of objects; add one with Builder::source")]
    NoSource,
    /// The caller and a source, or two sources, name different controllers.
    #[error(
        "conflicting controller names {first} and {second}: set the same name in Builder::controller_name and in the sources"
    )]
    Controllers {
        /// The name of the caller or of an earlier source.
        first: GatewayController,
        /// The other name.
        second: GatewayController,
    },
    /// The pool of addresses contains addresses that are not allowed.
    #[error("cannot use the pool of addresses")]
    Pool(#[source] InvalidScalar),
    /// A source failed before its first snapshot.
    #[error("source {name} failed before it published any objects")]
    Source {
        /// The name of the source.
        name: String,
        /// The error of the source.
        source: SourceError,
    },
    /// A thread or an event queue could not be created.
    #[error("cannot create the threads of the gateway")]
    Io(#[from] io::Error),
    /// The thread of the control loop panicked.
    #[error("internal error: the control thread panicked; see the message on standard error")]
    Panicked,
}
