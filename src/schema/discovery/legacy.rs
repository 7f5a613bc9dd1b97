//! Discovery documents of API version `v1`.

use serde_json::{Value, json};

use crate::schema::group_version::{GroupVersion, groups, versions};
use crate::schema::resource::Resource;

/// Verbs of the subresource `status`.
pub(super) const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Returns the document at `/api`. `server_address` is the address of the server, `HOST:PORT`.
pub fn core_versions(server_address: &str) -> Value {
    let versions: Vec<_> = versions("").iter().map(|one| one.version).collect();
    let address = json!({"clientCIDR": "0.0.0.0/0", "serverAddress": server_address});
    json!({
        "kind": "APIVersions",
        "versions": versions,
        "serverAddressByClientCIDRs": [address],
    })
}

/// Returns the document at `/apis`.
pub fn api_groups() -> Value {
    let groups = groups().into_iter().filter(|group| !group.is_empty());
    let groups: Vec<_> = groups.map(group).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// Returns the document at `/apis/GROUP`.
pub fn api_group(name: &str) -> Option<Value> {
    let found = groups().into_iter().find(|group| !name.is_empty() && *group == name)?;
    let mut group = group(found);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Some(group)
}

/// Returns the document at `/api/VERSION` (of the empty group) or `/apis/GROUP/VERSION`.
pub fn api_resources(group: &str, version: &str) -> Option<Value> {
    let found = versions(group).into_iter().find(|one| one.version == version)?;
    let resources: Vec<_> = found.resources().flat_map(|(resource, _)| entries(resource)).collect();
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found.api_version(),
        "resources": resources,
    }))
}

fn group(name: &'static str) -> Value {
    let version =
        |one: GroupVersion| json!({"groupVersion": one.api_version(), "version": one.version});
    let versions: Vec<_> = versions(name).into_iter().map(version).collect();
    json!({"name": name, "preferredVersion": versions[0], "versions": versions})
}

/// Returns the entries of a resource and of its status.
fn entries(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural(),
        "singularName": resource.singular(),
        "namespaced": resource.is_namespaced(),
        "kind": resource.kind(),
        "verbs": resource.verbs(),
    });
    for (field, list) in
        [("shortNames", resource.short_names()), ("categories", resource.categories())]
    {
        if !list.is_empty() {
            entry[field] = list.into();
        }
    }
    let status = resource.has_status().then(|| {
        json!({
            "name": format!("{}/status", resource.plural()),
            "singularName": "",
            "namespaced": resource.is_namespaced(),
            "kind": resource.kind(),
            "verbs": STATUS_VERBS,
        })
    });
    [entry].into_iter().chain(status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_their_versions() {
        let group = api_group("gateway.networking.k8s.io").unwrap();
        assert_eq!(group["preferredVersion"]["groupVersion"], "gateway.networking.k8s.io/v1");
        assert_eq!(group["versions"].as_array().unwrap().len(), 3);
        assert_eq!((&group["kind"], &group["apiVersion"]), (&json!("APIGroup"), &json!("v1")));
        assert!(api_group("").is_none() && api_group("batch").is_none());
        let list = api_groups();
        let names: Vec<_> = list["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        let expected = [
            "apps",
            "discovery.k8s.io",
            "coordination.k8s.io",
            "events.k8s.io",
            "gateway.networking.k8s.io",
        ];
        assert_eq!(names, expected);
        let core = core_versions("127.0.0.1:6080");
        assert_eq!((&core["kind"], &core["versions"]), (&json!("APIVersions"), &json!(["v1"])));
    }

    #[test]
    fn resources_have_their_status() {
        let list = api_resources("", "v1").unwrap();
        assert_eq!(list["groupVersion"], "v1");
        let find = |name: &str| {
            let resources = list["resources"].as_array().unwrap();
            resources.iter().find(|one| one["name"] == name).cloned()
        };
        let expected = json!({
            "name": "services",
            "singularName": "service",
            "namespaced": true,
            "kind": "Service",
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "shortNames": ["svc"],
            "categories": ["all"],
        });
        assert_eq!(find("services").unwrap(), expected);
        assert_eq!(find("services/status").unwrap()["verbs"], json!(STATUS_VERBS));
        assert!(find("configmaps/status").is_none());
        assert!(api_resources("apps", "v2").is_none());
    }
}
