//! A gateway whose API stores its objects in a file system that fills up and becomes read-only.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::admission::catalog;
use sluicegate::api::Settings;
use sluicegate::sources::ApiSource;
use sluicegate::store::{self, ListQuery, Store};
use tokio::task::spawn_blocking;

use crate::objects::{class, config_map, gateway, route, service, slice};
use crate::server::{Answer, Client, TestServer, WAIT_TIMEOUT, wait_until};
use crate::support::{backend, free_port, name_at, own_address};
use crate::tmpfs::{fill, remount, tmpfs};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const GATEWAY_API: &str = "/apis/gateway.networking.k8s.io/v1";
const ROUTE: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes/r";

/// Delay before the store opens its file again. Meanwhile the file is closed.
const REOPEN_DELAY: Duration = Duration::from_millis(200);

#[test]
fn api_recovers_from_full_and_read_only_file_system() {
    let Some(folder) = tmpfs("full_disk::api_recovers_from_full_and_read_only_file_system") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(recover(&folder));
}

async fn recover(folder: &Path) {
    let store = open(folder);
    let api = Api::start(folder, store.clone()).await;
    let listener = SocketAddr::new(own_address(), free_port());
    api.create_objects(listener.port()).await;
    let source = ApiSource::new(store.clone());
    let gateway = sluicegate::Server::builder().source(source).bind(listener.ip()).start();
    let gateway = gateway.await.unwrap();
    until_served(listener, "one").await;

    // Objects fill the file system.
    let mut names = Vec::new();
    let refused = loop {
        let name = format!("n{:03}", names.len());
        let answer = api.create_config_map(&name, 30_000).await;
        if answer.code != 201 {
            break answer;
        }
        names.push(name);
    };
    assert_refused(&refused);
    assert!((5..60).contains(&names.len()), "{} objects", names.len());
    assert_eq!(api.names().await, names);

    // Objects can be deleted, and the gateway follows a change.
    let deleted = names.pop().unwrap();
    api.until_written("DELETE", &format!("{CONFIG_MAPS}/{deleted}"), "").await;
    assert_eq!(served(listener).await.as_deref(), Some("one"));
    let rules = json!({"spec": {"rules": [{"backendRefs": [{"name": "two", "port": 1}]}]}});
    api.until_written("PATCH", ROUTE, &rules.to_string()).await;
    until_served(listener, "two").await;

    // Another program fills the rest, and the file system becomes read-only. The kernel refuses
    // this while a file is open for writing; the store closes its file after each error.
    let ballast = folder.join("ballast");
    fill(&ballast);
    let remounted = folder.to_owned();
    let remounted = spawn_blocking(move || remount(&remounted, "remount,ro"));
    while !remounted.is_finished() {
        assert_refused(&api.create_config_map("large", 1_000_000).await);
    }
    remounted.await.unwrap();
    for _ in 0..3 {
        assert_refused(&api.create_config_map("small", 10).await);
        assert_refused(&api.send("DELETE", &format!("{CONFIG_MAPS}/{}", names[0]), "").await);
        tokio::time::sleep(REOPEN_DELAY).await;
    }
    let answer = api.create_config_map("small", 10).await;
    assert_refused(&answer);
    assert!(answer.head.contains("retry-after: "), "{answer:?}");
    assert_eq!(api.names().await, names);
    assert_eq!(api.send("GET", "/readyz", "").await.code, 200);
    assert_eq!(served(listener).await.as_deref(), Some("two"));

    // It recovers by itself.
    remount(folder, "remount,rw,size=8m");
    fs::remove_file(&ballast).unwrap();
    let large = config_map("large", 1_000_000).to_string();
    api.until_written("POST", CONFIG_MAPS, &large).await;
    names.insert(0, "large".to_owned());
    assert_eq!(api.names().await, names);
    let rules = rules.to_string().replace("two", "one");
    api.until_written("PATCH", ROUTE, &rules).await;
    until_served(listener, "one").await;

    gateway.drain(Duration::ZERO).await;
    store.close().await;
    api.server.stop().await.unwrap();
    let store = open(folder);
    let query = ListQuery::new(store.catalog().get("", "configmaps").unwrap());
    let stored = store.list(&query, |_| true).unwrap().objects;
    assert_eq!(stored.iter().map(|it| it.key().name()).collect::<Vec<_>>(), names);
}

fn open(folder: &Path) -> Store {
    let settings = store::Settings::new().with_reopen_backoff(REOPEN_DELAY, REOPEN_DELAY);
    Store::open(folder.join("store"), catalog(), settings).unwrap()
}

/// The API, and requests of its administrator.
struct Api {
    server: TestServer,
}

impl Api {
    async fn start(folder: &Path, store: Store) -> Self {
        let settings = Settings::new().with_local_endpoints(true);
        Self { server: TestServer::start_in(folder, store, settings, |builder| builder).await }
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let media_type = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let headers = self.server.headers(&self.server.token);
        let headers = format!("{headers}content-type: {media_type}\r\n");
        let mut client: Client = self.server.connect().await;
        client.send_body(method, path, &headers, body).await
    }

    /// Creates a listener whose route leads to the backend `one`, and the Service of the backend
    /// `two`.
    async fn create_objects(&self, port: u16) {
        let mut objects = vec![
            (format!("{GATEWAY_API}/gatewayclasses"), class()),
            (format!("{GATEWAY_API}/namespaces/default/gateways"), gateway("g", port)),
            (format!("{GATEWAY_API}/namespaces/default/tcproutes"), route("r", "g", "one")),
        ];
        for name in ["one", "two"] {
            objects.push((SERVICES.to_owned(), service(name)));
            objects.push((SLICES.to_owned(), slice(name, backend(name))));
        }
        for (path, object) in objects {
            let answer = self.send("POST", &path, &object.to_string()).await;
            assert_eq!(answer.code, 201, "{answer:?}");
        }
    }

    async fn create_config_map(&self, name: &str, length: usize) -> Answer {
        self.send("POST", CONFIG_MAPS, &config_map(name, length).to_string()).await
    }

    /// Repeats a write until it is done. Each refusal must be a Status of code 507.
    async fn until_written(&self, method: &str, path: &str, body: &str) {
        let written = async || {
            let answer = self.send(method, path, body).await;
            let is_written = answer.code < 300;
            if !is_written {
                assert_refused(&answer);
            }
            is_written
        };
        wait_until(written).await;
    }

    /// Returns the names of the ConfigMaps.
    async fn names(&self) -> Vec<String> {
        let headers = self.server.headers(&self.server.token);
        let mut connection = self.server.connect().await;
        let answer = connection.send("GET", CONFIG_MAPS, &headers).await;
        assert_eq!(answer.code, 200, "{answer:?}");
        let list = match answer.body.as_str() {
            "" => connection.read_chunks().await,
            body => body.as_bytes().to_vec(),
        };
        let list: Value = serde_json::from_slice(&list).unwrap();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.code, 507, "{answer:?}");
    let status: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(507)));
    assert_eq!(status["reason"], "InsufficientStorage");
}

/// Returns the name of the backend that a connection to the gateway reaches.
async fn served(listener: SocketAddr) -> Option<String> {
    let name = spawn_blocking(move || name_at(listener));
    tokio::time::timeout(WAIT_TIMEOUT, name).await.unwrap().unwrap()
}

async fn until_served(listener: SocketAddr, backend: &str) {
    wait_until(async || served(listener).await.as_deref() == Some(backend)).await;
}
