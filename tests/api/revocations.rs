//! Watches and lists of clients whose token is no longer valid.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::json;
use sluicegate::api::{Access, Settings};
use sluicegate::store;
use tempfile::TempDir;

use crate::support::{Api, TOKEN, event};

const WATCH: &str = "/api/v1/configmaps?watch=true";

/// A file of tokens that an API follows.
struct Tokens {
    _folder: TempDir,
    path: PathBuf,
}

impl Tokens {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Self { path: folder.path().join("tokens"), _folder: folder };
        tokens.write(text);
        tokens
    }

    fn write(&self, text: &str) {
        fs::write(&self.path, text).unwrap();
        fs::set_permissions(&self.path, Permissions::from_mode(0o600)).unwrap();
    }

    fn api(&self) -> Api {
        let access = Access::builder().tokens_file(&self.path).host("localhost".parse().unwrap());
        let access = access.build().unwrap();
        let followed = access.clone();
        tokio::spawn(async move { followed.follow_tokens_file().await });
        Api::with_access(access, Settings::new(), store::Settings::new())
    }
}

#[tokio::test(start_paused = true)]
async fn watch_ends_when_its_token_is_removed() {
    let tokens = Tokens::new(&format!("alice view {TOKEN}"));
    let api = tokens.api();
    let mut watch = api.watch(WATCH).await;
    let revision = api.create_config_map("before", json!({})).await;
    assert_eq!(watch.summary().await, event("ADDED", "before", &revision));
    tokens.write("");
    assert_eq!(watch.next().await, None);
    api.get(WATCH).await.failure(401, "Unauthorized");
}

#[tokio::test(start_paused = true)]
async fn watch_ends_when_its_role_changes() {
    let tokens = Tokens::new(&format!("alice edit {TOKEN}"));
    let api = tokens.api();
    let path = "/api/v1/secrets?watch=true";
    let mut watch = api.watch(path).await;
    tokens.write(&format!("alice view {TOKEN}"));
    assert_eq!(watch.next().await, None);
    api.get(path).await.failure(403, "Forbidden");
}

#[tokio::test(start_paused = true)]
async fn initial_objects_are_not_sent_after_the_revocation() {
    let tokens = Tokens::new(&format!("alice view {TOKEN}"));
    let api = tokens.api();
    api.create_config_map("a", json!({})).await;
    let mut first = api.watch(WATCH).await;
    let mut second = api.watch(WATCH).await;
    assert_eq!(first.summary().await.1, "a");
    tokens.write("");
    assert_eq!(first.next().await, None);
    assert_eq!(second.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn open_list_ends_when_its_token_is_removed() {
    let tokens = Tokens::new(&format!("alice view {TOKEN}"));
    let api = tokens.api();
    for number in 0..20 {
        let metadata = json!({"name": format!("a{number}")});
        let data = json!({"data": {"text": "x".repeat(100_000)}});
        api.create("", "configmaps", Some("default"), "ConfigMap", "v1", metadata, data).await;
    }
    let mut body = api.response("GET", "/api/v1/configmaps", &[]).await.into_body();
    body.frame().await.unwrap().unwrap();
    tokens.write("");
    while api.get("/api/v1/namespaces").await.code != 401 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("was revoked"), "{error}");
    assert!(body.frame().await.is_none());
}
