//! The version of Gateway API that is installed in the cluster, and if this crate supports it.

use http::Request;
use http::header::ACCEPT;
use kube::Client;
use serde_json::Value;

use crate::model::{Condition, ConditionStatus, ConditionType, MAX_MESSAGE_LEN, Reason, truncate};

/// Path of the definition whose annotation has the version. All definitions of Gateway API are
/// installed together, so one is enough.
const DEFINITION_PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses.gateway.networking.k8s.io";

/// Requests the metadata of the definition only; the rest of it is long.
const ACCEPT_METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

const BUNDLE_VERSION_ANNOTATION: &str = "gateway.networking.k8s.io/bundle-version";

/// The supported versions, as major and minor: those whose conformance tests this crate runs.
const SUPPORTED_VERSIONS: [&str; 1] = ["v1.6"];

/// Returns the condition
/// [`SupportedVersion`](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclassconditiontype)
/// for the GatewayClasses. It has no observed generation, which differs between classes.
pub(super) async fn read_version_condition(client: &Client) -> kube::Result<Condition> {
    let request = Request::get(DEFINITION_PATH).header(ACCEPT, ACCEPT_METADATA).body(Vec::new());
    let request = request.map_err(kube::Error::HttpError)?;
    let definition: Value = client.request(request).await?;
    let annotations = &definition["metadata"]["annotations"];
    Ok(build_version_condition(annotations[BUNDLE_VERSION_ANNOTATION].as_str()))
}

fn build_version_condition(installed: Option<&str>) -> Condition {
    let is_supported = installed.is_some_and(|installed| {
        let matches = |supported: &&str| {
            installed
                .strip_prefix(*supported)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        SUPPORTED_VERSIONS.iter().any(matches)
    });
    let supported = SUPPORTED_VERSIONS.join(", ");
    let mut message = match installed {
        Some(installed) if is_supported => format!("Gateway API {installed} is installed."),
        Some(installed) => format!(
            "Gateway API {installed} is installed; this gateway supports {supported}. Features of other versions may not work: install a supported version."
        ),
        None => format!(
            "The installed Gateway API definitions have no annotation {BUNDLE_VERSION_ANNOTATION}; this gateway supports {supported}. Features of other versions may not work: install a supported version."
        ),
    };
    // The annotation may contain any text.
    truncate(&mut message, MAX_MESSAGE_LEN);
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
    fn version_is_supported_by_major_and_minor() {
        let is_supported =
            |installed| build_version_condition(installed).status == ConditionStatus::True;
        assert!(is_supported(Some("v1.6.3")) && is_supported(Some("v1.6")));
        for other in ["v1.5.1", "v1.60.0", "v2.6.0", "v0.0.0-dev", ""] {
            assert!(!is_supported(Some(other)), "{other}");
        }
        assert!(!is_supported(None));
    }

    #[test]
    fn message_has_at_most_1024_bytes() {
        let installed = "ö".repeat(100_000);
        assert!(build_version_condition(Some(&installed)).message.len() <= MAX_MESSAGE_LEN);
    }
}
