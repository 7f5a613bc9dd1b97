//! Status of the store's errors.

use std::time::Duration;

use super::reason::Reason;
use super::status::{Status, StatusCause};
use crate::api::request::ResourceRequest;
use crate::schema::{Cause, CauseReason};
use crate::store::{Conflict, ReadError, Revision, WriteError};

/// Detail of a conflict. Clients read the object again and repeat their change.
const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

/// Seconds after which a client may try again, when the store cannot write.
const RETRY_AFTER: u32 = 1;

impl Status {
    /// Creates the Status of a write that the store refused.
    pub(in crate::api) fn of_write_error(error: &WriteError, request: &ResourceRequest) -> Self {
        match error {
            WriteError::NotFound(key) => {
                let named =
                    ResourceRequest { name: Some(key.name().to_owned()), ..request.clone() };
                Self::not_found(&named)
            }
            WriteError::AlreadyExists { key, is_being_deleted } => {
                Self::already_exists(request, key.name(), *is_being_deleted)
            }
            WriteError::Conflict { key, conflict } => match conflict {
                Conflict::Revision { .. } => Self::conflict(request, key.name(), MODIFIED),
                Conflict::Uid { expected, found } => {
                    let detail = format!(
                        "Precondition failed: UID in precondition: {expected}, UID in object meta: \
                         {found}"
                    );
                    Self::conflict(request, key.name(), &detail)
                }
            },
            WriteError::NamespaceNotFound(name) => Self::namespace_not_found(name),
            WriteError::NamespaceTerminating(namespace) => {
                let detail = format!(
                    "unable to create new content in namespace {namespace} because it is being \
                     terminated"
                );
                let message = format!("namespace {namespace} is being terminated");
                Self::object_forbidden(request, "", &detail).with_cause(StatusCause::Other {
                    reason: "NamespaceTerminating",
                    message,
                    field: Some("metadata.namespace"),
                })
            }
            WriteError::NamespaceProtected(name) => {
                let detail = "this namespace may not be deleted";
                Self::object_forbidden(request, name, detail)
            }
            WriteError::Invalid { field: "metadata.resourceVersion", reason } => {
                Self::bad_request(format!("metadata.resourceVersion: {reason}"))
            }
            WriteError::Invalid { field, reason } => {
                let cause = Cause {
                    reason: CauseReason::Invalid,
                    message: format!("Invalid value: {reason}"),
                    field: (*field).to_owned(),
                };
                let name = request.name.as_deref().unwrap_or_default();
                Self::invalid(request, name, vec![cause])
            }
            WriteError::TooLarge { .. } => Self::too_large(error.to_string()),
            // No Retry-After: client libraries would repeat the write ten times before they report
            // a state that does not end by itself.
            WriteError::LimitReached { .. }
            | WriteError::StorageFull(_)
            | WriteError::StorageMisplaced(_) => {
                Self::failure(Reason::InsufficientStorage, error.to_string())
            }
            WriteError::StorageUnavailable(_) => {
                Self::failure(Reason::InsufficientStorage, error.to_string())
                    .with_retry_after(RETRY_AFTER)
            }
            WriteError::Interrupted => Self::failure(Reason::Timeout, error.to_string()),
            WriteError::Closed => Self::closed(),
        }
    }

    /// Creates the Status of a read at a revision that the store does not have.
    pub(in crate::api) fn of_read_error(error: &ReadError) -> Self {
        match error {
            ReadError::Gone { requested, oldest } => Self::expired(*requested, *oldest),
            ReadError::TooNew { requested, newest } => {
                let message = format!("Too large resource version: {requested}, current: {newest}");
                let cause = StatusCause::Other {
                    reason: "ResourceVersionTooLarge",
                    message: "Too large resource version".to_owned(),
                    field: None,
                };
                Self::failure(Reason::Timeout, message).with_cause(cause).with_retry_after(1)
            }
        }
    }

    /// Creates the Status of a watch or list whose revision is no longer, or never was, in the
    /// history. Clients list again.
    pub(in crate::api) fn expired(requested: Revision, oldest: Revision) -> Self {
        let message = format!("too old resource version: {requested} ({oldest})");
        Self::failure(Reason::Expired, message)
    }

    /// Creates the Status of a write that the store has not answered in time. It has no
    /// Retry-After, because client libraries would repeat the write.
    pub(in crate::api) fn outcome_unknown(timeout: Duration) -> Self {
        let message = format!(
            "the disk of the data folder has not answered within {} s, and the outcome of the \
             write is unknown; read the object, and repeat the write if it had no effect",
            timeout.as_secs()
        );
        Self::failure(Reason::Timeout, message)
    }

    /// Creates the Status of a request to a server that is shutting down.
    pub(in crate::api) fn closed() -> Self {
        let message = "the server is shutting down; connect again";
        Self::failure(Reason::ServiceUnavailable, message).with_retry_after(RETRY_AFTER)
    }
}
