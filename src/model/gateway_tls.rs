//! TLS settings of a whole Gateway.

use serde::{Deserialize, Serialize};

use super::meta::null_as_default;
use super::reference::ObjectRef;
use super::scalar::PortNumber;

/// TLS settings of a whole Gateway. They are read, so that a manifest that has them is not
/// refused, and kept; TCP listeners do not use them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayTls {
    /// Towards backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendTls>,
    /// Towards clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendTls>,
}

/// How a Gateway shows itself to backends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// The client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<ObjectRef>,
}

/// How a Gateway checks clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTls {
    /// On every port not listed in `per_port`.
    pub default: FrontendTlsConfig,
    /// On single ports.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub per_port: Vec<FrontendTlsPort>,
}

/// How clients are checked on one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsPort {
    /// The port.
    pub port: PortNumber,
    /// How.
    pub tls: FrontendTlsConfig,
}

/// How client certificates are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsConfig {
    /// Against which authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<FrontendTlsValidation>,
}

/// Against which authorities client certificates are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsValidation {
    /// The authorities.
    pub ca_certificate_refs: Vec<ObjectRef>,
    /// AllowValidOnly or AllowInsecureFallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}
