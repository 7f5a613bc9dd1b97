//! Discovery, version and OpenAPI, as kubectl reads them.

use serde_json::json;

use crate::support::{Api, PROTOBUF};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[tokio::test]
async fn version_has_the_shape_of_kubernetes() {
    let version = Api::new().get("/version").await.json();
    assert_eq!(version["major"], "1");
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1.37.2+sluicegate."));
}

#[tokio::test]
async fn groups_and_resources_are_listed() {
    let api = Api::new();
    let core = api.get("/api").await.json();
    assert_eq!((&core["kind"], &core["versions"]), (&json!("APIVersions"), &json!(["v1"])));
    assert_eq!(core["serverAddressByClientCIDRs"][0]["serverAddress"], "localhost");
    let groups = api.get("/apis").await.json();
    assert_eq!(groups["kind"], "APIGroupList");
    for group in groups["groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        assert_eq!(api.get(&format!("/apis/{name}")).await.json()["kind"], "APIGroup");
        for version in group["versions"].as_array().unwrap() {
            let group_version = version["groupVersion"].as_str().unwrap();
            let list = api.get(&format!("/apis/{group_version}")).await.json();
            assert_eq!(list["kind"], "APIResourceList");
            assert_eq!(list["groupVersion"], group_version);
        }
    }
    let list = api.get("/api/v1?timeout=32s").await.json();
    let names: Vec<_> =
        list["resources"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert!(names.contains(&&json!("services")) && names.contains(&&json!("services/status")));
}

/// Every resource of discovery can be listed, and every path of the root is served.
#[tokio::test]
async fn listed_resources_and_paths_are_served() {
    let api = Api::new();
    let root = api.get("/").await.json();
    let mut count = 0;
    for path in root["paths"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        let answer = api.get(path).await;
        assert_eq!(answer.code, 200, "{path}");
        if answer.header("content-type") != "application/json" {
            continue;
        }
        for resource in answer.json()["resources"].as_array().into_iter().flatten() {
            let name = resource["name"].as_str().unwrap();
            if !name.contains('/') {
                let list = api.get(&format!("{path}/{name}")).await.json();
                let kind = format!("{}List", resource["kind"].as_str().unwrap());
                assert_eq!(list["kind"], kind, "{path}/{name}");
                count += 1;
            }
        }
    }
    assert!(count >= 14, "{count}");
}

#[tokio::test]
async fn discovery_is_aggregated_by_accept() {
    let api = Api::new();
    let accept = format!(
        "{AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
         application/json"
    );
    for (path, item) in [("/api", json!({})), ("/apis", json!({"name": "apps"}))] {
        let answer = api.get_as(path, &accept).await;
        assert_eq!(answer.header("content-type"), AGGREGATED);
        let list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(list["kind"], "APIGroupDiscoveryList");
        assert_eq!(list["items"][0]["metadata"], item);
        let etag = answer.header("etag").to_owned();
        let headers = [("accept", accept.as_str()), ("if-none-match", &etag)];
        let again = api.send("GET", path, &headers).await;
        assert_eq!((again.code, again.body.len()), (304, 0));
        let plain = api.get_as(path, "application/json").await.json();
        assert_ne!(plain["kind"], "APIGroupDiscoveryList");
    }
    // Only the two documents have this form.
    api.get_as("/apis/apps", AGGREGATED).await.failure(406, "NotAcceptable");
}

#[tokio::test]
async fn openapi_documents_have_hashes() {
    let api = Api::new();
    let index = api.get("/openapi/v3").await.json();
    let paths = index["paths"].as_object().unwrap();
    assert!(paths.contains_key("apis/gateway.networking.k8s.io/v1"), "{index}");
    for (path, entry) in paths {
        let url = entry["serverRelativeURL"].as_str().unwrap();
        let answer = api.get(url).await;
        assert_eq!(answer.json()["openapi"], "3.0.0", "{url}");
        assert!(answer.header("cache-control").contains("immutable"));
        let etag = answer.header("etag").to_owned();
        assert!(url.ends_with(&format!("?hash={}", etag.trim_matches('"'))), "{url} {etag}");
        for known in [etag.as_str(), "*", &format!("\"x\", W/{etag}")] {
            let again = api.send("GET", url, &[("if-none-match", known)]).await;
            assert_eq!((again.code, again.body.len()), (304, 0), "{known}");
        }
        assert_eq!(api.send("GET", url, &[("if-none-match", "\"x\"")]).await.code, 200);
        let old = api.get(&format!("/openapi/v3/{path}?hash=0")).await;
        assert_eq!((old.code, old.header("location")), (301, url));
        let plain = api.get(&format!("/openapi/v3/{path}")).await;
        assert_eq!((plain.code, plain.header("cache-control")), (200, "no-cache, private"));
    }
    let protobuf = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
    api.get_as("/openapi/v3", protobuf).await.failure(406, "NotAcceptable");
    assert_eq!(api.get_as("/openapi/v3", &format!("{protobuf}, */*")).await.code, 200);
}

#[tokio::test]
async fn documents_are_negotiated() {
    let api = Api::new();
    for path in ["/version", "/api", "/apis", "/apis/apps", "/apis/apps/v1"] {
        api.get_as(path, PROTOBUF).await.failure(406, "NotAcceptable");
        assert_eq!(api.get_as(path, &format!("{PROTOBUF},application/json")).await.code, 200);
        let yaml = api.get_as(path, "application/yaml").await;
        assert_eq!(yaml.header("content-type"), "application/yaml");
        let read: serde_json::Value = serde_yaml::from_slice(&yaml.body).unwrap();
        assert_eq!(read, api.get(path).await.json(), "{path}");
    }
}

/// kubectl decodes the protobuf document, and finds no schema in it.
#[tokio::test]
async fn openapi_v2_is_empty() {
    let api = Api::new();
    for accept in ["v2.v1.0", "v2@v1.0"] {
        let accept = format!("application/com.github.proto-openapi.spec.{accept}+protobuf");
        let answer = api.get_as("/openapi/v2", &accept).await;
        assert_eq!((answer.code, answer.body.len()), (200, 0));
        let expected = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        assert_eq!(answer.header("content-type"), expected);
    }
    let document = api.get("/openapi/v2").await.json();
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(document["paths"], json!({}));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    api.get_as("/openapi/v2", "text/plain").await.failure(406, "NotAcceptable");
    let roots = api.get("/").await.json();
    assert!(roots["paths"].as_array().unwrap().contains(&json!("/openapi/v2")));
}
