//! TLS settings of a whole Gateway.

use serde::{Deserialize, Serialize};

use super::meta::null_as_default;
use super::reference::ObjectRef;
use super::scalar::PortNumber;

/// TLS settings of a whole Gateway. They are read, so that a manifest that contains them is valid;
/// TCP listeners do not use them.
///
/// Specification:
/// [GatewayTLSConfig](https://gateway-api.sigs.k8s.io/reference/spec/#gatewaytlsconfig).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayTls {
    /// Settings towards backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendTls>,
    /// Settings towards clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendTls>,
}

/// TLS settings of a Gateway towards backends.
///
/// Specification:
/// [GatewayBackendTLS](https://gateway-api.sigs.k8s.io/reference/spec/#gatewaybackendtls).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// The client certificate that the Gateway presents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<ObjectRef>,
}

/// TLS settings of a Gateway towards clients.
///
/// Specification:
/// [FrontendTLSConfig](https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsconfig).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTls {
    /// Settings of every port that is not in `per_port`.
    pub default: FrontendTlsConfig,
    /// Settings of single ports.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub per_port: Vec<FrontendTlsPort>,
}

/// TLS settings towards the clients of one port.
///
/// Specification: [TLSPortConfig](https://gateway-api.sigs.k8s.io/reference/spec/#tlsportconfig).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsPort {
    /// The port.
    pub port: PortNumber,
    /// Its settings.
    pub tls: FrontendTlsConfig,
}

/// Validation of client certificates on a port.
///
/// Specification: [TLSConfig](https://gateway-api.sigs.k8s.io/reference/spec/#tlsconfig).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsConfig {
    /// The validation; absent means that clients need no certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<FrontendTlsValidation>,
}

/// Certificate authorities for the validation of client certificates.
///
/// Specification:
/// [FrontendTLSValidation](https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsvalidation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsValidation {
    /// The authorities.
    pub ca_certificate_refs: Vec<ObjectRef>,
    /// `AllowValidOnly` or `AllowInsecureFallback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}
