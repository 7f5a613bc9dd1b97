//! [`WatchError`]: the errors of listing and watching.

use std::time::Duration;

use kube::core::Status;

use crate::sources::kube::request_limits::is_request_timeout;

/// Error of a list or a watch. Every error is retried.
#[derive(Debug, thiserror::Error)]
pub(in crate::sources::kube) enum WatchError {
    #[error("a list request failed")]
    List(#[source] kube::Error),
    #[error("a watch request failed")]
    Start(#[source] kube::Error),
    /// The API server ended the watch with an error.
    #[error("the API server ended the watch")]
    Reported(#[source] Box<Status>),
    #[error("the watch was interrupted")]
    Interrupted(#[source] kube::Error),
    #[error(
        "the watch received nothing for {} s and did not end in time, so its connection counts as dead",
        .0.as_secs()
    )]
    Silent(Duration),
    #[error("the API server stopped in the middle of a list: nothing received for {} s", .0.as_secs())]
    ListStalled(Duration),
    #[error("the API server ended a list before it was complete")]
    ListIncomplete,
    #[error("the API server sent no resource version, so the watch cannot be resumed")]
    NoResourceVersion,
}

impl WatchError {
    /// Returns `true` if the requested resource version is too old. All objects are then listed
    /// again, so this is no error to report.
    pub(in crate::sources::kube) fn is_expired(&self) -> bool {
        self.code() == Some(410)
    }

    /// Returns `true` if the server no longer serves the kind.
    pub(in crate::sources::kube) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Returns `true` if this process may not list or watch the objects.
    pub(in crate::sources::kube) fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Returns `true` if the API server did not respond in time.
    pub(super) fn is_timeout(&self) -> bool {
        match self {
            Self::List(error) | Self::Start(error) | Self::Interrupted(error) => {
                is_request_timeout(error)
            }
            Self::Silent(_) | Self::ListStalled(_) => true,
            Self::Reported(_) | Self::ListIncomplete | Self::NoResourceVersion => false,
        }
    }

    /// Returns `true` if the server rejected `sendInitialEvents`, because it is too old or because
    /// the feature is disabled.
    pub(super) fn is_streaming_refused(&self) -> bool {
        matches!(self.code(), Some(400 | 422))
    }

    /// Returns the HTTP status code of the response, if there was one.
    fn code(&self) -> Option<u16> {
        match self {
            Self::List(kube::Error::Api(status))
            | Self::Start(kube::Error::Api(status))
            | Self::Interrupted(kube::Error::Api(status))
            | Self::Reported(status) => Some(status.code),
            Self::List(_)
            | Self::Start(_)
            | Self::Interrupted(_)
            | Self::Silent(_)
            | Self::ListStalled(_)
            | Self::ListIncomplete
            | Self::NoResourceVersion => None,
        }
    }
}
