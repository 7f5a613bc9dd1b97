//! Reasons why an object gets no status.

use std::fmt;

use crate::model::{GatewayController, NamespacedName, ObjectName};

/// Reason why a Gateway or TCPRoute is not managed here, and so gets no status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmanaged {
    /// The Gateway's class belongs to another controller.
    OtherController {
        /// The class.
        class: ObjectName,
        /// Its controller.
        controller: GatewayController,
    },
    /// The Gateway's class does not exist.
    ClassNotFound {
        /// The class.
        class: ObjectName,
    },
    /// The route refers to no Gateway.
    NoGatewayRef,
    /// The last Gateway that the route refers to does not exist.
    GatewayNotFound {
        /// The Gateway.
        gateway: NamespacedName,
    },
    /// The last Gateway that the route refers to is not managed itself.
    GatewayUnmanaged {
        /// The Gateway.
        gateway: NamespacedName,
        /// The reason.
        reason: Box<Self>,
    },
}

impl Unmanaged {
    /// Returns `true` if the object belongs to another controller, which is not an error.
    pub fn is_of_other_controller(&self) -> bool {
        match self {
            Self::OtherController { .. } => true,
            Self::GatewayUnmanaged { reason, .. } => reason.is_of_other_controller(),
            Self::ClassNotFound { .. } | Self::NoGatewayRef | Self::GatewayNotFound { .. } => false,
        }
    }
}

impl fmt::Display for Unmanaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherController { class, controller } => write!(
                f,
                "GatewayClass {class} has controller {controller}, which this gateway does not serve"
            ),
            Self::ClassNotFound { class } => write!(f, "GatewayClass {class} does not exist"),
            Self::NoGatewayRef => f.write_str("no parentRef refers to a Gateway"),
            Self::GatewayNotFound { gateway } => write!(f, "Gateway {gateway} does not exist"),
            Self::GatewayUnmanaged { gateway, reason } => {
                write!(f, "Gateway {gateway} is not managed: {reason}")
            }
        }
    }
}
