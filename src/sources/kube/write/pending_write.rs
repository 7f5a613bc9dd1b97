//! A write that an object needs.

use serde_json::Value;

use crate::sources::events::Warning;
use crate::sources::kube::gateway_services::Orphan;
use crate::sources::kube::operation::WriteKind;

/// A write that an object needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PendingWrite {
    /// Replaces the status.
    Status {
        status: Value,
        /// The warnings that are new in this status.
        warnings: Vec<Warning>,
    },
    /// Replaces the list of finalizers.
    Finalizers(Vec<String>),
    /// Sets or removes annotations with the claims of releases.
    Claim {
        annotations: Value,
        /// The class contains an earlier claim of this release.
        is_renewal: bool,
    },
    /// Creates the object.
    Create(Value),
    /// Replaces the object.
    Update(Value),
    /// Deletes the object.
    Delete(Orphan),
}

impl PendingWrite {
    /// Returns the kind of the write.
    pub(super) fn kind(&self) -> WriteKind {
        match self {
            Self::Status { .. } => WriteKind::Status,
            Self::Finalizers(_) => WriteKind::Finalizers,
            Self::Claim { .. } => WriteKind::Claim,
            Self::Create(_) => WriteKind::Create,
            Self::Update(_) => WriteKind::Update,
            Self::Delete(_) => WriteKind::Delete,
        }
    }
}
