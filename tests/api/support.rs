//! A service over a store in memory, and functions that send requests to it.

use std::error::Error;
use std::time::Duration;

use http::request::Builder;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use serde_json::{Value, json};
use sluicegate::admission;
use sluicegate::api::{Access, ApiService, ResponseBody, Role, Settings, Token};
use sluicegate::store::{self, Key, Store, Write};
use tower::ServiceExt;

pub(crate) const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
pub(crate) const PARTIAL: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
pub(crate) const PARTIAL_LIST: &str =
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
pub(crate) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Token of the requests.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Longest time that a test waits for an event.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    service: ApiService,
}

/// Answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Body of a watch.
#[derive(Debug)]
pub(crate) struct Events {
    body: ResponseBody,
    unread: Vec<u8>,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with_settings(Settings::new(), store::Settings::new())
    }

    pub(crate) fn with_settings(settings: Settings, store: store::Settings) -> Self {
        Self::with_access(access(), settings, store)
    }

    pub(crate) fn with_access(access: Access, settings: Settings, store: store::Settings) -> Self {
        let store = Store::in_memory(admission::catalog(), store).unwrap();
        let service = ApiService::new(store.clone(), access, settings);
        Self { store, service }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send("GET", path, &[("accept", accept)]).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::read(self.response(method, path, headers).await).await
    }

    /// Sends a request with a body of a media type.
    pub(crate) async fn write(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = request(method, path).header("content-type", content_type);
        let request = request.body(Full::new(body.into())).unwrap();
        Answer::read(self.service.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn send_without_token(&self, method: &str, path: &str) -> Answer {
        let mut request = request(method, path).body(Full::<Bytes>::default()).unwrap();
        request.headers_mut().remove("authorization");
        Answer::read(self.service.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a request with a body.
    pub(crate) async fn send_body<B>(&self, method: &str, path: &str, body: B) -> Answer
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let request = request(method, path).header("content-type", "application/json");
        let request = request.body(body).unwrap();
        Answer::read(self.service.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn response(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<ResponseBody> {
        let mut request = request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        self.service.clone().oneshot(request).await.unwrap()
    }

    /// Opens a watch.
    pub(crate) async fn watch(&self, path: &str) -> Events {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Events {
        let response = self.response("GET", path, &[("accept", accept)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        Events { body: response.into_body(), unread: Vec::new() }
    }

    /// Creates a ConfigMap with labels, and returns its resourceVersion.
    pub(crate) async fn create_config_map(&self, name: &str, labels: Value) -> String {
        let metadata = json!({"name": name, "labels": labels});
        self.create("", "configmaps", Some("default"), "ConfigMap", "v1", metadata, json!({})).await
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of an object")]
    pub(crate) async fn create(
        &self,
        group: &str,
        plural: &str,
        namespace: Option<&str>,
        kind: &str,
        api_version: &str,
        metadata: Value,
        mut object: Value,
    ) -> String {
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        object["metadata"] = metadata;
        let resource = self.store.catalog().get(group, plural).unwrap();
        let written = self.store.write(Write::create(resource, namespace, object)).await.unwrap();
        written.object.revision().to_string()
    }

    /// Sets the labels of a ConfigMap, and returns its resourceVersion.
    pub(crate) async fn label_config_map(&self, name: &str, labels: Value) -> String {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
        });
        let written = self.store.write(Write::replace(self.config_map(name), object)).await;
        written.unwrap().object.revision().to_string()
    }

    /// Deletes a ConfigMap, and returns the resourceVersion of the deletion.
    pub(crate) async fn delete_config_map(&self, name: &str) -> String {
        let written = self.store.write(Write::delete(self.config_map(name))).await.unwrap();
        written.object.revision().to_string()
    }

    fn config_map(&self, name: &str) -> Key {
        Key::namespaced(self.store.catalog().get("", "configmaps").unwrap(), "default", name)
    }

    /// Creates a Gateway of the class `c`.
    pub(crate) async fn create_gateway(&self, name: &str) -> String {
        let spec = json!({"spec": {"gatewayClassName": "c", "listeners": []}});
        let api_version = format!("{GATEWAY_GROUP}/v1");
        let metadata = json!({"name": name});
        self.create(
            GATEWAY_GROUP,
            "gateways",
            Some("default"),
            "Gateway",
            &api_version,
            metadata,
            spec,
        )
        .await
    }
}

fn access() -> Access {
    let token: Token = TOKEN.parse().unwrap();
    let access = Access::builder().token("test", Role::Admin, &token);
    access.host("localhost".parse().unwrap()).build().unwrap()
}

fn request(method: &str, path: &str) -> Builder {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    request.header("authorization", format!("Bearer {TOKEN}"))
}

impl Answer {
    pub(crate) async fn read(response: Response<ResponseBody>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { code: parts.status.as_u16(), headers: parts.headers, body }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the Status of a failure.
    #[track_caller]
    pub(crate) fn failure(&self, code: u16, reason: &str) -> Value {
        let status = self.json();
        assert_eq!(self.code, code, "{status}");
        let found = [&status["kind"], &status["apiVersion"], &status["status"], &status["reason"]];
        assert_eq!(found, ["Status", "v1", "Failure", reason], "{status}");
        assert_eq!(status["code"], code, "{status}");
        status
    }

    /// Returns the names of the objects of a list.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<String> {
        let list = self.json();
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{list}"));
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Events {
    /// Waits for the next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.unread.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(WAIT_TIMEOUT, self.body.frame()).await;
            let Some(frame) = frame.expect("an event arrives") else {
                assert!(self.unread.is_empty(), "{:?}", self.unread);
                return None;
            };
            self.unread.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
    }

    /// Waits for the next event, and returns its type, the name of the object and its
    /// resourceVersion.
    pub(crate) async fn summary(&mut self) -> (String, String, String) {
        let event = self.next().await.expect("the watch continues");
        let metadata = &event["object"]["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"]))
    }

    /// Returns the bytes of the next chunk.
    pub(crate) async fn chunk_len(&mut self) -> usize {
        let frame = self.body.frame().await.unwrap().unwrap();
        frame.into_data().unwrap().len()
    }
}

/// Returns the expected summary of an event.
pub(crate) fn event(kind: &str, name: &str, revision: &str) -> (String, String, String) {
    (kind.to_owned(), name.to_owned(), revision.to_owned())
}
