//! A request for objects of a served resource.

use super::query::Query;
use super::target::ResourcePath;
use super::verb::Verb;
use crate::schema::{Resource, ServedVersion, find_resource};
use crate::store::{self, Catalog, Key, ListQuery};

/// Subresource of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Subresource {
    Status,
}

/// Request for objects of a served resource.
#[derive(Debug, Clone)]
pub(in crate::api) struct ResourceRequest {
    pub(in crate::api) verb: Verb,
    pub(in crate::api) resource: &'static Resource,
    /// Version of the path, in which objects are answered.
    pub(in crate::api) version: &'static ServedVersion,
    /// The resource in the store.
    pub(in crate::api) stored: store::Resource,
    /// Namespace of the path. It is absent in a list of all namespaces.
    pub(in crate::api) namespace: Option<String>,
    pub(in crate::api) name: Option<String>,
    pub(in crate::api) subresource: Option<Subresource>,
    pub(in crate::api) query: Query,
    /// Media type of the body with its parameters.
    pub(in crate::api) content_type: Option<String>,
}

/// Reason why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum NotServed {
    Resource(Box<ResourcePath>),
    Subresource(Box<ResourcePath>),
    /// The scope of the resource is another one.
    Path,
    Method,
}

impl ResourcePath {
    /// Finds the resource and the subresource of the path.
    pub(in crate::api) fn served(
        &self,
    ) -> Result<(&'static Resource, &'static ServedVersion, Option<Subresource>), NotServed> {
        let (resource, version) = find_resource(&self.group, &self.version, &self.resource)
            .ok_or_else(|| NotServed::Resource(Box::new(self.clone())))?;
        let subresource = match self.subresource.as_deref() {
            None => None,
            Some("status") if resource.has_status() => Some(Subresource::Status),
            Some(_) => return Err(NotServed::Subresource(Box::new(self.clone()))),
        };
        Ok((resource, version, subresource))
    }
}

impl ResourceRequest {
    /// Finds the resource of a path.
    pub(in crate::api) fn find(
        path: ResourcePath,
        verb: Option<Verb>,
        query: Query,
        content_type: Option<String>,
        catalog: &Catalog,
    ) -> Result<Self, NotServed> {
        let (resource, version, subresource) = path.served()?;
        let stored = catalog.get(resource.storage_group(), resource.plural());
        let stored = stored.ok_or(NotServed::Path)?.clone();
        let is_scope_right = match (resource.is_namespaced(), &path.namespace) {
            (true, None) => path.name.is_none(),
            (is_namespaced, namespace) => is_namespaced == namespace.is_some(),
        };
        if !is_scope_right {
            return Err(NotServed::Path);
        }
        let verb = verb.ok_or(NotServed::Method)?;
        let needs_namespace = resource.is_namespaced() && path.namespace.is_none();
        let is_allowed = match (verb, subresource) {
            (Verb::Get | Verb::Update | Verb::Patch, _) => path.name.is_some(),
            (Verb::Delete, None) => true,
            (Verb::Create, None) => path.name.is_none() && !needs_namespace,
            (Verb::DeleteCollection, None) => !needs_namespace,
            (Verb::List | Verb::Watch, None) => true,
            (_, Some(Subresource::Status)) => false,
        };
        let is_served = resource.verbs().iter().any(|served| served == verb.as_str());
        if !is_allowed || !is_served {
            return Err(NotServed::Method);
        }
        Ok(Self {
            verb,
            resource,
            version,
            stored,
            namespace: path.namespace,
            name: path.name,
            subresource,
            query,
            content_type,
        })
    }

    /// Returns the key of the object of the path, if the path has a name.
    pub(in crate::api) fn key(&self) -> Option<Key> {
        let name = self.name.as_deref()?;
        Some(match &self.namespace {
            Some(namespace) => Key::namespaced(&self.stored, namespace, name),
            None => Key::cluster_scoped(&self.stored, name),
        })
    }

    /// Returns the query of the objects of the path, if the path has no name.
    pub(in crate::api) fn list_query(&self) -> ListQuery {
        let query = ListQuery::new(&self.stored);
        match &self.namespace {
            Some(namespace) => query.with_namespace(namespace),
            None => query,
        }
    }

    /// Returns the name of the resource in messages: `services`, or
    /// `gateways.gateway.networking.k8s.io`.
    pub(in crate::api) fn qualified_resource(&self) -> String {
        qualified(self.resource.plural(), self.resource.group())
    }

    /// Returns the name of the kind in messages: `Service`, or `Gateway.gateway.networking.k8s.io`.
    pub(in crate::api) fn qualified_kind(&self) -> String {
        qualified(self.resource.kind(), self.resource.group())
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::admission::catalog;
    use crate::api::request::Target;

    fn find(method: &str, path: &str) -> Result<ResourceRequest, NotServed> {
        let Target::Resource(path) = Target::parse(path) else { panic!("{path}") };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let verb = Verb::new(&method, path.name.is_some(), false);
        ResourceRequest::find(path, verb, Query::default(), None, &catalog())
    }

    #[test]
    fn served_verbs_are_found() {
        for (method, path, verb) in [
            ("GET", "/api/v1/services", Verb::List),
            ("HEAD", "/api/v1/namespaces/a/services/b", Verb::Get),
            ("POST", "/api/v1/namespaces/a/services", Verb::Create),
            ("POST", "/api/v1/namespaces", Verb::Create),
            ("PUT", "/api/v1/namespaces/a/services/b/status", Verb::Update),
            ("DELETE", "/api/v1/namespaces/a/services", Verb::DeleteCollection),
            ("PATCH", "/apis/gateway.networking.k8s.io/v1/gatewayclasses/c", Verb::Patch),
            ("GET", "/apis/events.k8s.io/v1/events", Verb::List),
        ] {
            assert_eq!(find(method, path).unwrap().verb, verb, "{method} {path}");
        }
    }

    #[test]
    fn paths_that_are_not_served_are_refused() {
        for (path, expected) in [
            ("/api/v1/pods", "resource"),
            ("/api/v2/services", "resource"),
            ("/apis/gateway.networking.k8s.io/v1beta1/tcproutes", "resource"),
            ("/api/v1/namespaces/a/services/b/scale", "subresource"),
            ("/api/v1/namespaces/a/configmaps/b/status", "subresource"),
            ("/api/v1/namespaces/a/finalize", "subresource"),
            ("/api/v1/services/a", "path"),
            ("/apis/gateway.networking.k8s.io/v1/namespaces/a/gatewayclasses", "path"),
        ] {
            let found = match find("GET", path).unwrap_err() {
                NotServed::Resource(_) => "resource",
                NotServed::Subresource(_) => "subresource",
                NotServed::Path => "path",
                NotServed::Method => "method",
            };
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn methods_that_are_not_served_are_refused() {
        for (method, path) in [
            ("POST", "/api/v1/services"),
            ("POST", "/api/v1/namespaces/a/services/b"),
            ("PUT", "/api/v1/namespaces/a/services"),
            ("PATCH", "/api/v1/namespaces/a/services"),
            ("DELETE", "/api/v1/services"),
            ("DELETE", "/api/v1/namespaces"),
            ("DELETE", "/api/v1/namespaces/a/services/b/status"),
            ("OPTIONS", "/api/v1/services"),
        ] {
            assert_eq!(find(method, path).unwrap_err(), NotServed::Method, "{method} {path}");
        }
    }

    #[test]
    fn events_of_both_groups_are_one_resource_of_the_store() {
        let core = find("GET", "/api/v1/namespaces/a/events/b").unwrap();
        let other = find("GET", "/apis/events.k8s.io/v1/namespaces/a/events/b").unwrap();
        assert_eq!(core.key(), other.key());
        assert_eq!(other.qualified_resource(), "events.events.k8s.io");
        assert_eq!(core.qualified_kind(), "Event");
    }
}
