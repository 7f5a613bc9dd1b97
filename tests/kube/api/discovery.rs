//! Discovery: the groups, versions and kinds that the server serves.

use serde_json::{Value, json};

use super::request::Request;
use super::{Installed, State};

pub(super) const GATEWAY_API: [&str; 4] =
    ["gatewayclasses", "gateways", "tcproutes", "referencegrants"];

type Resource = (&'static str, &'static str);

const CLASS: Resource = ("gatewayclasses", "GatewayClass");
const GATEWAY: Resource = ("gateways", "Gateway");
const GRANT: Resource = ("referencegrants", "ReferenceGrant");
const ROUTE: Resource = ("tcproutes", "TCPRoute");

impl State {
    /// The answer where it is asked what there is, or something is that is not an object.
    pub(super) fn discover(&self, request: &Request) -> Option<Value> {
        match request.path.trim_end_matches('/') {
            "/version" => Some(self.version()),
            "/apis" => Some(self.groups()),
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses.gateway.networking.k8s.io" =>
            {
                let annotations = match &self.bundle {
                    Some(version) => json!({ "gateway.networking.k8s.io/bundle-version": version }),
                    None => json!({}),
                };
                let metadata = json!({ "name": request.name, "annotations": annotations });
                (self.installed != Installed::Nothing).then(|| json!({ "metadata": metadata }))
            }
            _ if request.plural.is_empty() => self.resources(&request.group_version),
            _ => None,
        }
    }

    fn version(&self) -> Value {
        let mut version = json!({ "major": "1", "minor": self.minor });
        for field in [
            "buildDate",
            "compiler",
            "gitCommit",
            "gitTreeState",
            "gitVersion",
            "goVersion",
            "platform",
        ] {
            version[field] = json!("");
        }
        version
    }

    fn groups(&self) -> Value {
        let versions = self
            .tables()
            .into_iter()
            .filter_map(|(group_version, _)| group_version.split_once('/'));
        let mut groups: Vec<Value> = Vec::new();
        for (group, version) in versions {
            let version =
                json!({ "groupVersion": format!("{group}/{version}"), "version": version });
            match groups.iter_mut().find(|known| known["name"] == group) {
                Some(known) => known["versions"].as_array_mut().unwrap().push(version),
                None => groups.push(json!({
                    "name": group, "versions": [version], "preferredVersion": version,
                })),
            }
        }
        json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
    }

    fn resources(&self, group_version: &str) -> Option<Value> {
        let tables = self.tables();
        let (_, resources) = tables.iter().find(|(known, _)| *known == group_version)?;
        let resource = |name: &str, kind: &str| {
            let namespaced = !matches!(kind, "GatewayClass" | "Namespace" | "Node");
            json!({ "name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"] })
        };
        // As the real one does, it tells of the subresources first.
        let resources = resources.iter().flat_map(|(plural, kind)| {
            [resource(&format!("{plural}/status"), kind), resource(plural, kind)]
        });
        Some(json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version,
            "resources": resources.collect::<Vec<_>>(),
        }))
    }

    /// The kind that a request is about; nothing where the server does not know its path.
    pub(super) fn kind(&self, request: &Request) -> Option<&'static str> {
        let tables = self.tables();
        let (_, resources) = tables.iter().find(|(known, _)| *known == request.group_version)?;
        let (_, kind) = resources.iter().find(|(plural, _)| *plural == request.plural)?;
        Some(kind)
    }

    fn tables(&self) -> Vec<(&'static str, &'static [Resource])> {
        const CORE: &[Resource] =
            &[("namespaces", "Namespace"), ("nodes", "Node"), ("services", "Service")];
        let mut tables = vec![
            ("v1", CORE),
            ("discovery.k8s.io/v1", &[("endpointslices", "EndpointSlice")][..]),
            ("events.k8s.io/v1", &[("events", "Event")][..]),
            ("coordination.k8s.io/v1", &[("leases", "Lease")][..]),
        ];
        match self.installed {
            Installed::Nothing => {}
            Installed::Before16 => tables.extend([
                ("gateway.networking.k8s.io/v1", &[CLASS, GATEWAY][..]),
                ("gateway.networking.k8s.io/v1beta1", &[CLASS, GATEWAY, GRANT][..]),
                ("gateway.networking.k8s.io/v1alpha2", &[ROUTE][..]),
            ]),
            Installed::Both => tables.extend([
                ("gateway.networking.k8s.io/v1alpha2", &[ROUTE][..]),
                ("gateway.networking.k8s.io/v1", &[CLASS, GATEWAY, GRANT, ROUTE][..]),
                ("gateway.networking.k8s.io/v1beta1", &[CLASS, GATEWAY, GRANT][..]),
            ]),
        }
        tables
    }
}
