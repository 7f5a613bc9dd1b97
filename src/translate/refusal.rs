//! Reasons why a Gateway or one of its listeners is not accepted.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;

use super::enumerate::list;
use super::holder::Holder;
use crate::model::{
    GatewayAddressError, LocalParametersRef, NamespaceName, PortNumber, Protocol, Reason,
    SectionName,
};

/// Reason why a Gateway as a whole is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GatewayRefusal {
    /// `spec.infrastructure.parametersRef` is set.
    Parameters(LocalParametersRef),
    /// An entry of `spec.addresses` does not request an IP address.
    Address(GatewayAddressError),
}

impl GatewayRefusal {
    /// Returns the reason of the Accepted condition.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Parameters(_) => Reason::INVALID_PARAMETERS,
            Self::Address(_) => Reason::UNSUPPORTED_ADDRESS,
        }
    }
}

impl fmt::Display for GatewayRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters(LocalParametersRef { kind, name, .. }) => write!(
                f,
                "spec.infrastructure.parametersRef refers to {kind} {name}, but this controller supports no parameters; remove it."
            ),
            Self::Address(error) => write!(f, "spec.addresses: {error}."),
        }
    }
}

/// Reason why a listener is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListenerRefusal<'a> {
    /// The protocol is not supported.
    Protocol(&'a Protocol),
    /// The listener has a field that a TCP listener cannot have.
    Field(&'static str),
    /// These listeners of one Gateway have the same TCP port.
    PortConflict { listeners: Vec<&'a SectionName>, port: PortNumber },
    /// An earlier listener of the Gateway has the same name.
    DuplicateName(&'a SectionName),
    /// Another Gateway has the port on an overlapping address.
    PortInUse { holder: Holder, port: u16, address: IpAddr },
    /// Earlier listeners of the namespace use up its limit.
    TooManyListeners { namespace: NamespaceName, limit: NonZeroU32 },
}

impl ListenerRefusal<'_> {
    /// Returns the reason of the listener's Accepted condition.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Protocol(_) => Reason::UNSUPPORTED_PROTOCOL,
            Self::Field(_) | Self::DuplicateName(_) => Reason::UNSUPPORTED_VALUE,
            Self::PortConflict { .. } => Reason::PROTOCOL_CONFLICT,
            Self::PortInUse { .. } => Reason::PORT_UNAVAILABLE,
            Self::TooManyListeners { .. } => Reason::TOO_MANY_LISTENERS,
        }
    }

    /// Returns the reason of the listener's Programmed condition, which repeats the reason of
    /// Accepted only for ports and limits.
    pub(super) fn programmed_reason(&self) -> Reason {
        match self {
            Self::PortConflict { .. } | Self::PortInUse { .. } | Self::TooManyListeners { .. } => {
                self.reason()
            }
            Self::Protocol(_) | Self::Field(_) | Self::DuplicateName(_) => Reason::INVALID,
        }
    }

    /// Returns `true` if the listener gets a Conflicted condition.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::PortConflict { .. })
    }
}

impl fmt::Display for ListenerRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(protocol) => {
                write!(f, "Protocol {protocol} is not supported; use TCP.")
            }
            Self::Field(field) => write!(f, "A TCP listener cannot have `{field}`; remove it."),
            Self::PortConflict { listeners, port } => {
                let names = list(listeners);
                write!(
                    f,
                    "Listeners {names} have the same TCP port {port}; use a different port for each."
                )
            }
            Self::DuplicateName(name) => {
                write!(f, "An earlier listener is already named `{name}`; use a different name.")
            }
            Self::TooManyListeners { namespace, limit } => write!(
                f,
                "The Gateways of namespace {namespace} have more than the maximum of {limit} listeners, and older Gateways and earlier listeners of this one have precedence. Remove listeners, or ask the operator of the gateway to raise the limit (--listeners-per-namespace)."
            ),
            Self::PortInUse { holder, port, address } => {
                write!(f, "Port {port} on ")?;
                match address.is_unspecified() {
                    true => f.write_str("all addresses")?,
                    false => address.fmt(f)?,
                }
                write!(
                    f,
                    " is already used by {holder}. Port conflicts are resolved in favour of the oldest Gateway, then by namespace/name."
                )
            }
        }
    }
}
