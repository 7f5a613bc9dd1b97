//! Reasons why a backendRef has no endpoint.

use std::fmt;
use std::net::SocketAddr;

use super::enumerate::list;
use super::holder::Holder;
use super::no_endpoints::NoEndpoints;
use crate::model::{
    Caveat, Group, KindName, NamespaceName, NamespacedName, PortNumber, Reason, TransportProtocol,
};
use crate::plan::RejectReason;

/// Reason why connections to a backend are rejected.
#[derive(Debug)]
pub(super) enum BackendError {
    /// No ReferenceGrant allows the reference.
    NotPermitted {
        from: NamespaceName,
        kind: KindName,
        target: NamespacedName,
    },
    /// The reference is not to a Service.
    InvalidKind {
        group: Group,
        kind: KindName,
        target: NamespacedName,
    },
    ServiceNotFound(NamespacedName),
    ExternalName(NamespacedName),
    /// The Service is in front of a Gateway of this controller.
    OwnService {
        service: NamespacedName,
        holder: Holder,
    },
    /// A Gateway of this controller listens on an endpoint of the Service.
    OwnEndpoint {
        service: NamespacedName,
        endpoint: SocketAddr,
        holder: Holder,
    },
    /// The gateway's program listens on an endpoint of the Service, such as that of its API.
    ProgramEndpoint {
        service: NamespacedName,
        endpoint: SocketAddr,
    },
    /// An endpoint of the Service has a loopback address, and these are not allowed.
    LocalEndpoint {
        service: NamespacedName,
        endpoint: SocketAddr,
    },
    /// The reference has no port.
    NoPort(NamespacedName),
    NotTcp {
        service: NamespacedName,
        port: PortNumber,
        protocol: TransportProtocol,
    },
    PortNotFound {
        service: NamespacedName,
        port: PortNumber,
        tcp_ports: Vec<PortNumber>,
    },
    NoEndpoints {
        service: NamespacedName,
        port: PortNumber,
        reason: NoEndpoints,
    },
}

impl BackendError {
    /// Returns the reason for the plan, and so for logs and counters.
    pub(super) fn reject_reason(&self) -> RejectReason {
        match self {
            Self::NotPermitted { .. } => RejectReason::RefNotPermitted,
            Self::InvalidKind { .. } => RejectReason::InvalidKind,
            Self::ServiceNotFound(_)
            | Self::ExternalName(_)
            | Self::NoPort(_)
            | Self::PortNotFound { .. } => RejectReason::BackendNotFound,
            Self::OwnService { .. } | Self::OwnEndpoint { .. } | Self::ProgramEndpoint { .. } => {
                RejectReason::Loop
            }
            Self::LocalEndpoint { .. } => RejectReason::LocalEndpoint,
            Self::NotTcp { .. } => RejectReason::UnsupportedProtocol,
            Self::NoEndpoints { .. } => RejectReason::NoEndpoints,
        }
    }

    /// Returns the reason of the ResolvedRefs condition. `None` if the reference is resolved, and
    /// only its target has no endpoint.
    pub(super) fn unresolved_reason(&self) -> Option<Reason> {
        match self {
            Self::NotPermitted { .. } => Some(Reason::REF_NOT_PERMITTED),
            Self::InvalidKind { .. } => Some(Reason::INVALID_KIND),
            // As for ExternalName, Gateway API has no reason of its own for such Services.
            Self::ServiceNotFound(_)
            | Self::ExternalName(_)
            | Self::OwnService { .. }
            | Self::OwnEndpoint { .. }
            | Self::ProgramEndpoint { .. }
            | Self::LocalEndpoint { .. }
            | Self::NoPort(_)
            | Self::PortNotFound { .. } => Some(Reason::BACKEND_NOT_FOUND),
            Self::NotTcp { .. } => Some(Reason::UNSUPPORTED_PROTOCOL),
            Self::NoEndpoints { .. } => None,
        }
    }

    /// Returns the caveat of the condition if the reference is resolved in spite of the error.
    pub(super) fn caveat(&self) -> Caveat {
        match self {
            Self::NoEndpoints { reason, .. } if reason.is_without_slice() => {
                Caveat::NoEndpointSlice
            }
            _ => Caveat::BackendUnavailable,
        }
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted { from, kind, target } => write!(
                f,
                "No ReferenceGrant in namespace {} allows TCPRoutes of namespace {from} to refer to {kind} {}.",
                target.namespace, target.name
            ),
            Self::InvalidKind { group, kind, target } => {
                let group = match group.as_str() {
                    "" => "the core group".to_owned(),
                    group => format!("group {group}"),
                };
                write!(
                    f,
                    "Backend {target} has kind {kind} of {group}; only Services of the core group are supported."
                )
            }
            Self::ServiceNotFound(service) => {
                write!(f, "Service {service} does not exist; create it or correct the backendRef.")
            }
            Self::ExternalName(service) => {
                write!(
                    f,
                    "Service {service} has type ExternalName, which is not supported as a backend."
                )
            }
            Self::OwnService { service, holder } => write!(
                f,
                "Service {service} leads back to this gateway, since it is the Service of {holder}; refer to the Service of a backend instead."
            ),
            Self::OwnEndpoint { service, endpoint, holder } => write!(
                f,
                "Service {service} leads back to this gateway, since its endpoint {endpoint} is an address of {holder}; remove the endpoint, or refer to another Service."
            ),
            Self::ProgramEndpoint { service, endpoint } => write!(
                f,
                "Service {service} leads to this gateway's own program, since its endpoint {endpoint} is a socket of the program, such as that of its API or of its health endpoints; remove the endpoint, or refer to another Service."
            ),
            Self::LocalEndpoint { service, endpoint } => write!(
                f,
                "Service {service} has the endpoint {endpoint}, and loopback addresses are not allowed, because clients of the API may be on other hosts; use another address of the endpoint, or allow loopback addresses (--allow-local-endpoints)."
            ),
            Self::NoPort(service) => {
                write!(f, "The backendRef to Service {service} has no port; set `port`.")
            }
            Self::NotTcp { service, port, protocol } => {
                write!(
                    f,
                    "Port {port} of Service {service} has protocol {protocol}; a TCPRoute needs a TCP port."
                )
            }
            Self::PortNotFound { service, port, tcp_ports } => {
                write!(f, "Service {service} has no port {port}; ")?;
                if tcp_ports.is_empty() {
                    return f.write_str("it has no TCP port.");
                }
                write!(f, "its TCP ports are {}.", list(tcp_ports))
            }
            Self::NoEndpoints { service, port, reason } => {
                write!(
                    f,
                    "Service {service} has no ready endpoint for port {port}, so its connections are reset: {reason}."
                )
            }
        }
    }
}
