//! The address of an API server, for kubeconfigs.

use serde::{Deserialize, Serialize};

/// Address of an API server, and the authority of its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Endpoint {
    /// URL of the server.
    pub(in crate::api) server: String,
    /// Certificate of the authority in PEM, if the server made its certificate itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) certificate_authority: Option<String>,
}
