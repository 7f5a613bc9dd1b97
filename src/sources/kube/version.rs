//! Which version of Gateway API is installed in the cluster, and whether it is one we know.

use http::Request;
use http::header::ACCEPT;
use kube::Client;
use serde_json::Value;

use crate::model::{Condition, ConditionStatus, ConditionType, Reason};

/// The definition that is asked, for all of them: they are installed together.
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses.gateway.networking.k8s.io";

/// The rest of it is long.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

const BUNDLE_VERSION: &str = "gateway.networking.k8s.io/bundle-version";

/// The versions this gateway is made for, as major and minor: those whose conformance tests it runs.
const SUPPORTED: [&str; 1] = ["v1.6"];

/// What is to be [said](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclassconditiontype) of
/// the installed version on each GatewayClass; nothing where it cannot be read.
pub(super) async fn supported(client: &Client) -> kube::Result<Condition> {
    let request = Request::get(DEFINITION).header(ACCEPT, METADATA).body(Vec::new());
    let request = request.map_err(kube::Error::HttpError)?;
    let definition: Value = client.request(request).await?;
    Ok(judge(definition["metadata"]["annotations"][BUNDLE_VERSION].as_str()))
}

fn judge(installed: Option<&str>) -> Condition {
    let is_supported = installed.is_some_and(|installed| {
        let is_of = |known: &&str| {
            installed
                .strip_prefix(*known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        SUPPORTED.iter().any(is_of)
    });
    let supported = SUPPORTED.join(", ");
    let message = match installed {
        Some(installed) if is_supported => format!("Gateway API {installed} is installed."),
        Some(installed) => format!(
            "Gateway API {installed} is installed; this gateway is made for {supported} and does what it can."
        ),
        None => format!(
            "The installed definitions of Gateway API do not say their version; this gateway is made for {supported} and does what it can."
        ),
    };
    let (status, reason) = match is_supported {
        true => (ConditionStatus::True, Reason::SUPPORTED_VERSION),
        false => (ConditionStatus::False, Reason::UNSUPPORTED_VERSION),
    };
    Condition::new(ConditionType::SUPPORTED_VERSION, status, reason, message, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_major_and_minor() {
        let is_known = |installed| judge(installed).status == ConditionStatus::True;
        assert!(is_known(Some("v1.6.3")) && is_known(Some("v1.6")));
        for unknown in ["v1.5.1", "v1.60.0", "v2.6.0", "v0.0.0-dev", ""] {
            assert!(!is_known(Some(unknown)), "{unknown}");
        }
        assert!(!is_known(None));
    }
}
