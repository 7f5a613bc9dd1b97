//! Users of the API.

use std::fmt;
use std::sync::Arc;

use super::role::Role;
use crate::api::request::{Attributes, Target, Verb};
use crate::api::status::{Reason, Status, StatusDetails};

/// User of the token in the folder.
pub(in crate::api) const ADMIN: &str = "admin";

/// User of the API: the name and the role of a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::api) struct Identity {
    name: Arc<str>,
    role: Role,
}

impl Identity {
    pub(in crate::api) fn new(name: &str, role: Role) -> Self {
        Self { name: name.into(), role }
    }

    /// Returns the name of the user.
    pub(in crate::api) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the role of the token.
    pub(in crate::api) fn role(&self) -> Role {
        self.role
    }

    /// Checks that the role allows a request.
    ///
    /// Every role may read the documents of the server, and gets 404 later for other paths without
    /// objects and for resources that are not served. A method without a verb is answered 405
    /// later.
    ///
    /// # Errors
    /// Returns a Status with the message of Kubernetes if the role does not allow the request.
    pub(in crate::api) fn authorize(&self, attributes: &Attributes) -> Result<(), Status> {
        match (&attributes.target, attributes.verb) {
            (Target::Resource(path), Some(verb))
                if path.served().is_ok() && !self.role.allows(verb, path) =>
            {
                let details = StatusDetails {
                    name: path.name.clone().unwrap_or_default(),
                    group: path.group.clone(),
                    kind: path.resource.clone(),
                    ..StatusDetails::default()
                };
                let message = self.describe_refusal(verb, attributes);
                Err(Status::failure(Reason::Forbidden, message).with_details(details))
            }
            _ => Ok(()),
        }
    }

    /// Returns the message of Kubernetes, with the permissions of the role as the reason.
    fn describe_refusal(&self, verb: Verb, attributes: &Attributes) -> String {
        let Target::Resource(path) = &attributes.target else { return String::new() };
        let object = fmt::from_fn(|f| {
            write!(f, "{}", path.resource)?;
            if !path.group.is_empty() {
                write!(f, ".{}", path.group)?;
            }
            path.name.as_ref().map_or(Ok(()), |name| write!(f, " {name:?}"))
        });
        let resource = fmt::from_fn(|f| match &path.subresource {
            Some(subresource) => write!(f, "{}/{subresource}", path.resource),
            None => write!(f, "{}", path.resource),
        });
        let place = fmt::from_fn(|f| match &path.namespace {
            Some(namespace) => write!(f, "in the namespace {namespace:?}"),
            None => f.write_str("at the cluster scope"),
        });
        format!(
            "{object} is forbidden: User {:?} cannot {} resource \"{resource}\" in API group {:?} \
             {place}: role {} {}",
            self.name,
            verb.as_str(),
            path.group,
            self.role,
            self.role.description(),
        )
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};
    use serde_json::{json, to_value};

    use super::*;
    use crate::api::request::Query;

    fn authorize(role: Role, method: Method, path: &str) -> Result<(), Status> {
        let (parts, ()) =
            Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        Identity::new("bob", role).authorize(&Attributes::new(&parts, &query))
    }

    fn message(role: Role, method: Method, path: &str) -> String {
        let status = to_value(authorize(role, method, path).unwrap_err()).unwrap();
        assert_eq!((&status["code"], &status["reason"]), (&json!(403), &json!("Forbidden")));
        status["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn refusal_has_the_message_of_kubernetes() {
        let gateways = "/apis/gateway.networking.k8s.io/v1/namespaces/a/gateways";
        assert_eq!(
            message(Role::View, Method::DELETE, &format!("{gateways}/g")),
            "gateways.gateway.networking.k8s.io \"g\" is forbidden: User \"bob\" cannot delete \
             resource \"gateways\" in API group \"gateway.networking.k8s.io\" in the namespace \
             \"a\": role view reads everything but Secrets, and changes nothing"
        );
        assert_eq!(
            message(Role::Edit, Method::PATCH, &format!("{gateways}/g/status")),
            "gateways.gateway.networking.k8s.io \"g\" is forbidden: User \"bob\" cannot patch \
             resource \"gateways/status\" in API group \"gateway.networking.k8s.io\" in the \
             namespace \"a\": role edit reads everything and changes everything but status"
        );
        assert_eq!(
            message(Role::Gateway, Method::GET, "/api/v1/secrets?watch=true"),
            "secrets is forbidden: User \"bob\" cannot watch resource \"secrets\" in API group \
             \"\" at the cluster scope: role gateway reads everything but Secrets and writes \
             status, Leases and Events"
        );
    }

    #[test]
    fn refusal_names_the_object_in_its_details() {
        let path = "/api/v1/namespaces/a/secrets/s";
        let status = to_value(authorize(Role::View, Method::GET, path).unwrap_err()).unwrap();
        assert_eq!(status["details"], json!({"name": "s", "kind": "secrets"}));
    }

    #[test]
    fn documents_and_unknown_paths_are_open_to_every_role() {
        for path in [
            "/version",
            "/apis",
            "/openapi/v3",
            "/livez",
            "/metrics",
            "/api/v1",
            "/api/v1/pods",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "/apis/apps/v1/namespaces/a/deployments/b/scale",
        ] {
            for method in [Method::GET, Method::POST] {
                assert!(authorize(Role::View, method, path).is_ok(), "{path}");
            }
        }
        let path = "/api/v1/namespaces/a/secrets/s";
        assert!(authorize(Role::View, Method::OPTIONS, path).is_ok());
    }
}
