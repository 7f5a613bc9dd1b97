//! An object as the source last observed it on the API server.

use super::compact::CompactObject;
use crate::model::{NamespacedName, Object, ObjectKey, ObjectKind};
use crate::sources::invalid_object::InvalidObject;

/// The annotation of a GatewayClass with the claim of the release that writes.
pub(super) const CLAIM_ANNOTATION: &str = "sluicegate.dev/claim";

/// The annotation of a GatewayClass with the claim of another release of the same controller name,
/// which does not write.
pub(super) const CONTENDER_ANNOTATION: &str = "sluicegate.dev/contender";

/// An object as it was last observed.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) key: ObjectKey,
    pub(super) content: Content,
}

/// The content of an observed object.
#[derive(Debug)]
pub(super) enum Content {
    /// An object to which this source may write, or of a kind with few objects.
    Whole {
        /// The object, without the fields that are not used.
        object: Result<Object, InvalidObject>,
        state: ServerState,
    },
    /// A Service or EndpointSlice that this source does not manage.
    Backend {
        /// The Service that the object belongs to. An EndpointSlice may have none, and is not used
        /// then.
        service: Option<NamespacedName>,
        object: Result<CompactObject, InvalidObject>,
        uid: Box<str>,
    },
}

/// The state of an object on the API server, as far as writing needs it beside the spec.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerState {
    pub(super) uid: Box<str>,
    pub(super) resource_version: Box<str>,
    /// The whole status as JSON, so that parts that are not ours are written back unchanged. It is
    /// kept as text: there are thousands of objects, and few are compared twice.
    pub(super) status: Box<str>,
    pub(super) finalizers: Vec<String>,
    pub(super) is_being_deleted: bool,
    /// The whole object as JSON, if this source may manage it: a Service of a Gateway.
    pub(super) raw: Option<Box<str>>,
    /// The claims of releases on a GatewayClass.
    pub(super) claims: Option<Box<ClassClaims>>,
}

/// The annotations of a GatewayClass by which releases of one controller name notice each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClassClaims {
    pub(super) holder: Option<String>,
    pub(super) contender: Option<String>,
}

/// Returns `true` if this source writes the status of objects of the kind.
pub(super) fn has_status(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::GatewayClass | ObjectKind::Gateway | ObjectKind::TcpRoute)
}
