//! TLS settings of a whole Gateway.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::deserialize::null_as_default;
use super::reference::{ObjectRef, ObjectReference};
use super::scalar::PortNumber;
use super::validate::Violations;

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
    /// Settings of single ports; at most 64.
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
    /// The authorities; 1 to 16.
    pub ca_certificate_refs: Vec<ObjectReference>,
    /// `AllowValidOnly` or `AllowInsecureFallback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl GatewayTls {
    pub(super) fn validate(&self, violations: &mut Violations) {
        let Some(frontend) = &self.frontend else { return };
        let path = "spec.tls.frontend";
        frontend.default.validate(&format!("{path}.default"), violations);
        violations.check_count(&format!("{path}.perPort"), frontend.per_port.len(), 0, 64);
        let mut ports = BTreeSet::new();
        for (index, FrontendTlsPort { port, tls }) in frontend.per_port.iter().enumerate() {
            let path = format!("{path}.perPort[{index}]");
            if !ports.insert(port) {
                violations.add(
                    format!("{path}.port"),
                    format!("{port} is the port of an earlier entry; ports must be unique"),
                );
            }
            tls.validate(&format!("{path}.tls"), violations);
        }
    }
}

impl FrontendTlsConfig {
    fn validate(&self, path: &str, violations: &mut Violations) {
        let Some(validation) = &self.validation else { return };
        let path = format!("{path}.validation");
        let count = validation.ca_certificate_refs.len();
        violations.check_count(&format!("{path}.caCertificateRefs"), count, 1, 16);
        let modes = ["AllowValidOnly", "AllowInsecureFallback"];
        violations.check_enum(&format!("{path}.mode"), validation.mode.as_deref(), &modes);
    }
}
