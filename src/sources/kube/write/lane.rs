//! The lanes of the write queue.

use crate::model::{ObjectKey, ObjectKind};

/// A lane of the write queue. An object of an earlier lane that is due is written first.
///
/// Thousands of statuses may be due at once, for example after an upgrade that changes a message.
/// Connections need the Services of Gateways, but no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Services of Gateways, and GatewayClasses: they are few, and other writes depend on them.
    Urgent,
    /// The status of Gateways and routes.
    Status,
}

impl Lane {
    /// All lanes, in the order in which they are served.
    pub(super) const ALL: [Self; 2] = [Self::Urgent, Self::Status];

    /// Returns the lane of an object.
    pub(super) fn of(key: &ObjectKey) -> Self {
        match key.kind {
            ObjectKind::Gateway | ObjectKind::TcpRoute => Self::Status,
            _ => Self::Urgent,
        }
    }
}
