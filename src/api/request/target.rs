//! Targets of requests: the paths of the API.

use super::percent::decode;

/// Part of the API that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Target {
    /// Objects of a resource. The resource may not exist.
    Resource(ResourcePath),
    /// A probe: `/healthz`, `/livez`, `/readyz` and their checks. The segments of the path.
    Health(Vec<String>),
    /// A document of the server: discovery, version, OpenAPI. The segments of the path.
    Document(Vec<String>),
    /// No part of the API.
    Unknown,
}

/// Path of objects, by its syntax.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::api) struct ResourcePath {
    /// API group; empty for the core group.
    pub(in crate::api) group: String,
    pub(in crate::api) version: String,
    /// Plural name of the resource.
    pub(in crate::api) resource: String,
    pub(in crate::api) namespace: Option<String>,
    pub(in crate::api) name: Option<String>,
    pub(in crate::api) subresource: Option<String>,
}

/// Subresources of a Namespace. Other segments after its name are resources in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

impl Target {
    /// Parses a path. Percent-encoding is decoded after the split at slashes.
    pub(in crate::api) fn parse(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Self::Document(Vec::new());
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Option<Vec<_>> = path
            .split('/')
            .map(|segment| decode(segment, false).filter(|decoded| !decoded.is_empty()))
            .collect();
        let Some(segments) = segments else { return Self::Unknown };
        let texts: Vec<_> = segments.iter().map(String::as_str).collect();
        match texts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => Self::Health(segments),
            ["version"] | ["openapi", ..] | ["api"] | ["api", _] => Self::Document(segments),
            ["apis"] | ["apis", _] | ["apis", _, _] => Self::Document(segments),
            ["api", version, rest @ ..] => Self::of_resource("", version, rest),
            ["apis", group, version, rest @ ..] => Self::of_resource(group, version, rest),
            _ => Self::Unknown,
        }
    }

    fn of_resource(group: &str, version: &str, rest: &[&str]) -> Self {
        let (namespace, rest) = match rest {
            ["namespaces", _] => (None, rest),
            ["namespaces", _, subresource] if NAMESPACE_SUBRESOURCES.contains(subresource) => {
                (None, rest)
            }
            ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
            _ => (None, rest),
        };
        let [resource, rest @ ..] = rest else { return Self::Unknown };
        if rest.len() > 2 {
            return Self::Unknown;
        }
        let segment = |index: usize| rest.get(index).map(|text| (*text).to_owned());
        Self::Resource(ResourcePath {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: (*resource).to_owned(),
            namespace,
            name: segment(0),
            subresource: segment(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns group, version, resource, namespace, name and subresource, separated by spaces.
    fn resource(path: &str) -> String {
        let Target::Resource(path) = Target::parse(path) else { panic!("{path}") };
        let optional = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let (namespace, name) = (optional(path.namespace), optional(path.name));
        let subresource = optional(path.subresource);
        format!(
            "{}/{} {} {namespace} {name} {subresource}",
            path.group, path.version, path.resource
        )
    }

    #[test]
    fn resources_have_group_namespace_and_name() {
        for (path, expected) in [
            ("/api/v1/services", "/v1 services - - -"),
            ("/api/v1/namespaces", "/v1 namespaces - - -"),
            ("/api/v1/namespaces/a", "/v1 namespaces - a -"),
            ("/api/v1/namespaces/a/status", "/v1 namespaces - a status"),
            ("/api/v1/namespaces/a/finalize", "/v1 namespaces - a finalize"),
            ("/api/v1/namespaces/a/services", "/v1 services a - -"),
            ("/api/v1/namespaces/a/services/b", "/v1 services a b -"),
            ("/apis/apps/v1/namespaces/a/deployments/b/status", "apps/v1 deployments a b status"),
            ("/apis/g/v1/gatewayclasses/c%2Fd", "g/v1 gatewayclasses - c/d -"),
            ("/apis/g/v1/gatewayclasses/", "g/v1 gatewayclasses - - -"),
        ] {
            assert_eq!(resource(path), expected, "{path}");
        }
    }

    #[test]
    fn documents_and_probes_are_known() {
        for path in ["", "/", "/version", "/api", "/api/", "/api/v1", "/apis", "/apis/apps"] {
            assert!(matches!(Target::parse(path), Target::Document(_)), "{path}");
        }
        let openapi = Target::parse("/openapi/v3/apis/apps/v1");
        assert!(matches!(openapi, Target::Document(segments) if segments.len() == 5));
        for path in ["/healthz", "/livez/ping", "/readyz/"] {
            assert!(matches!(Target::parse(path), Target::Health(_)), "{path}");
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in [
            "/metrics",
            "//",
            "/api//v1/services",
            "/api/v1/services/a/status/b",
            "/api/v1/namespaces/a/services/b/status/c",
            "/apis/apps/v1/%zz",
            "*",
        ] {
            assert_eq!(Target::parse(path), Target::Unknown, "{path}");
        }
    }
}
