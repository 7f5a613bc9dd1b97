//! Aggregated discovery (`apidiscovery.k8s.io/v2`): all resources in one document.

use serde_json::{Map, Value, json};

use super::legacy::STATUS_VERBS;
use crate::schema::group_version::{GroupVersion, groups, versions};
use crate::schema::resource::Resource;

/// Returns the aggregated document at `/api`.
pub fn aggregated_core() -> Value {
    list(vec![""])
}

/// Returns the aggregated document at `/apis`.
pub fn aggregated_groups() -> Value {
    list(groups().into_iter().filter(|group| !group.is_empty()).collect())
}

fn list(groups: Vec<&'static str>) -> Value {
    let items: Vec<_> = groups.into_iter().map(group).collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn group(name: &'static str) -> Value {
    let versions: Vec<_> = versions(name).into_iter().map(version).collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn version(version: GroupVersion) -> Value {
    let resources = version.resources().map(|(resource, _)| entry(resource, version));
    let resources: Vec<_> = resources.collect();
    json!({"version": version.version, "freshness": "Current", "resources": resources})
}

fn entry(resource: &Resource, version: GroupVersion) -> Value {
    let kind = json!({
        "group": version.group,
        "version": version.version,
        "kind": resource.kind(),
    });
    let scope = if resource.is_namespaced() { "Namespaced" } else { "Cluster" };
    let mut entry = Map::new();
    entry.insert("resource".into(), resource.plural().into());
    entry.insert("singularResource".into(), resource.singular().into());
    entry.insert("scope".into(), scope.into());
    entry.insert("verbs".into(), resource.verbs().into());
    entry.insert("responseKind".into(), kind.clone());
    for (field, list) in
        [("shortNames", resource.short_names()), ("categories", resource.categories())]
    {
        if !list.is_empty() {
            entry.insert(field.into(), list.into());
        }
    }
    if resource.has_status() {
        let status = json!({"subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS});
        entry.insert("subresources".into(), json!([status]));
    }
    entry.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_group_has_no_name() {
        let core = aggregated_core();
        assert_eq!(core["items"].as_array().unwrap().len(), 1);
        assert_eq!(core["items"][0]["metadata"], json!({}));
        assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    }

    #[test]
    fn resources_have_their_kinds_and_subresources() {
        let groups = aggregated_groups();
        let items = groups["items"].as_array().unwrap();
        let gateway =
            items.iter().find(|one| one["metadata"]["name"] == "gateway.networking.k8s.io");
        let versions = gateway.unwrap()["versions"].as_array().unwrap();
        assert_eq!(versions.len(), 3);
        let alpha = &versions[2];
        assert_eq!(
            (&alpha["version"], &alpha["freshness"]),
            (&json!("v1alpha2"), &json!("Current"))
        );
        let kind = json!({"group": "gateway.networking.k8s.io", "version": "v1alpha2", "kind": "TCPRoute"});
        let expected = json!({
            "resource": "tcproutes",
            "singularResource": "tcproute",
            "scope": "Namespaced",
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "responseKind": kind,
            "categories": ["gateway-api"],
            "subresources": [{"subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]}],
        });
        assert_eq!(alpha["resources"], json!([expected]));
    }
}
