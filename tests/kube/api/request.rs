//! The requests to the server.

use std::collections::BTreeMap;

use http::{Method, request::Parts};
use serde_json::Value;
use tokio::time::Instant;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The client that sent the request.
    pub(crate) client: &'static str,
    /// As in roles: get, list, watch, create, update, patch, delete.
    pub(crate) verb: &'static str,
    pub(crate) path: String,
    /// The group and version, as in `gateway.networking.k8s.io/v1`.
    pub(crate) group_version: String,
    /// Empty in requests of discovery.
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

impl Request {
    pub(super) fn new(client: &'static str, head: &Parts, body: &[u8]) -> Self {
        let path = head.uri.path().to_owned();
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        let (group_version, rest) = match parts[..] {
            ["api", version, ref rest @ ..] => (version.to_owned(), rest),
            ["apis", group, version, ref rest @ ..] => (format!("{group}/{version}"), rest),
            _ => (String::new(), &[][..]),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            rest => (None, rest),
        };
        let part = |place: usize| rest.get(place).map(|part| (*part).to_owned());
        let query = head.uri.query().unwrap_or_default().split('&');
        let query: BTreeMap<_, _> = query
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let verb = match head.method {
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ if query.get("watch").is_some_and(|watch| watch == "true") => "watch",
            _ if rest.len() == 1 => "list",
            _ => "get",
        };
        Self {
            client,
            verb,
            group_version,
            plural: part(0).unwrap_or_default(),
            namespace: namespace.map(str::to_owned),
            name: part(1),
            subresource: part(2),
            query,
            body: serde_json::from_slice(body).unwrap_or_default(),
            path,
            at: Instant::now(),
        }
    }

    /// Returns the name of the object in tests, or the start of the names of all objects.
    pub(crate) fn object(&self) -> String {
        let mut name = format!("{}/", self.plural);
        if let Some(namespace) = &self.namespace {
            name += &format!("{namespace}/");
        }
        name + self.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }
}
