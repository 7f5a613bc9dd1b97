//! The definitions of Gateway API in the cluster, and the version of the server.

use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::api::Api;
use super::request::Request;
use super::server::json;
use super::state::State;

pub(super) const GATEWAY_API: [&str; 4] =
    ["gatewayclasses", "gateways", "tcproutes", "referencegrants"];

const GROUP: &str = "gateway.networking.k8s.io";
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses.gateway.networking.k8s.io";

/// Definitions of Gateway API that are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installed {
    Nothing,
    /// Before 1.6: TCPRoute is served as `v1alpha2` only, ReferenceGrant as `v1beta1`.
    Before16,
    /// TCPRoute is served as `v1` and as `v1alpha2`.
    Both,
}

impl State {
    /// Returns the answer to a request of the definition that has the version of Gateway API, or
    /// `None` for another request.
    pub(super) fn definition(&self, request: &Request) -> Option<Option<Value>> {
        if request.path != DEFINITION {
            return None;
        }
        let annotations = match &self.bundle {
            Some(version) => json!({ "gateway.networking.k8s.io/bundle-version": version }),
            None => json!({}),
        };
        let metadata = json!({ "name": request.name, "annotations": annotations });
        let definition = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        });
        Some((self.installed != Installed::Nothing).then_some(definition))
    }

    /// Returns `true` if a version of a kind is served, or a version with any kind if the plural is
    /// empty.
    pub(super) fn is_installed(&self, group_version: &str, plural: &str) -> bool {
        let Some(version) = group_version.strip_prefix(GROUP) else { return true };
        match (self.installed, version) {
            (Installed::Nothing, _) => false,
            (Installed::Both, _) => true,
            (Installed::Before16, _) if plural.is_empty() => true,
            (Installed::Before16, "/v1") => ["gatewayclasses", "gateways"].contains(&plural),
            (Installed::Before16, "/v1alpha2") => plural == "tcproutes",
            (Installed::Before16, _) => plural != "tcproutes",
        }
    }
}

impl Api {
    /// Returns a document about the server, as of a cluster with the installed definitions.
    pub(super) async fn discovery(&self, request: &Request, answer: Answer) -> Answer {
        let path = request.path.trim_end_matches('/');
        if !answer.status().is_success() {
            return answer;
        }
        let mut document = json(answer).await;
        self.read(|state| match path {
            "/version" => document["minor"] = json!(state.minor),
            "/apis" => {
                let groups = document["groups"].as_array_mut().unwrap();
                let is_served =
                    |group: &Value| state.is_installed(group["name"].as_str().unwrap(), "");
                groups.retain(is_served);
            }
            "/api/v1" => {
                let node = |name: &str| json!({ "name": name, "singularName": "", "namespaced": false, "kind": "Node", "verbs": ["get", "list", "watch"] });
                let resources = document["resources"].as_array_mut().unwrap();
                resources.extend([node("nodes"), node("nodes/status")]);
            }
            _ => {
                if let Some(resources) = document["resources"].as_array_mut() {
                    resources.retain(|resource| {
                        let name = resource["name"].as_str().unwrap();
                        let plural = name.split_once('/').map_or(name, |(plural, _)| plural);
                        state.is_installed(&request.group_version, plural)
                    });
                }
            }
        });
        answer::document(&document)
    }
}
