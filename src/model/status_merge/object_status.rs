//! The status that is reported for one object.

use crate::model::{GatewayClassStatus, GatewayStatus, RouteParentStatus};

/// The status that is reported for one object, as far as this controller owns it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ObjectStatus<'a> {
    GatewayClass(&'a GatewayClassStatus),
    Gateway(&'a GatewayStatus),
    /// The parents of this controller. Those of other controllers are ignored.
    TcpRoute(&'a [RouteParentStatus]),
}
