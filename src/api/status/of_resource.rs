//! Failures about a resource or an object, with the messages of Kubernetes.

use super::reason::Reason;
use super::status::{Status, StatusCause, StatusDetails};
use crate::api::request::ResourceRequest;
use crate::schema::Cause;

impl StatusDetails {
    /// Returns the details of the resource of a request, and of the object of a name.
    pub(in crate::api) fn of(request: &ResourceRequest, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: request.resource.group().to_owned(),
            kind: request.resource.plural().to_owned(),
            ..Self::default()
        }
    }
}

impl Status {
    /// Creates the Status of an object that does not exist.
    pub(in crate::api) fn not_found(request: &ResourceRequest) -> Self {
        let name = request.name.as_deref().unwrap_or_default();
        let message = format!("{} \"{name}\" not found", request.qualified_resource());
        Self::failure(Reason::NotFound, message).with_details(StatusDetails::of(request, name))
    }

    /// Creates the Status of a namespace that does not exist.
    pub(in crate::api) fn namespace_not_found(name: &str) -> Self {
        let details = StatusDetails {
            name: name.to_owned(),
            kind: "namespaces".to_owned(),
            ..StatusDetails::default()
        };
        let message = format!("namespaces \"{name}\" not found");
        Self::failure(Reason::NotFound, message).with_details(details)
    }

    /// Creates the Status of an object whose name is taken.
    pub(in crate::api) fn already_exists(
        request: &ResourceRequest,
        name: &str,
        is_being_deleted: bool,
    ) -> Self {
        let prefix = if is_being_deleted { "object is being deleted: " } else { "" };
        let resource = request.qualified_resource();
        let message = format!("{prefix}{resource} \"{name}\" already exists");
        Self::failure(Reason::AlreadyExists, message).with_details(StatusDetails::of(request, name))
    }

    /// Creates the Status of a write that conflicts with another one.
    pub(in crate::api) fn conflict(request: &ResourceRequest, name: &str, detail: &str) -> Self {
        let resource = request.qualified_resource();
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {detail}");
        Self::failure(Reason::Conflict, message).with_details(StatusDetails::of(request, name))
    }

    /// Creates the Status of a write that is not allowed for an object.
    pub(in crate::api) fn object_forbidden(
        request: &ResourceRequest,
        name: &str,
        detail: &str,
    ) -> Self {
        let resource = request.qualified_resource();
        let name_in_text = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let message = format!("{resource}{name_in_text} is forbidden: {detail}");
        Self::failure(Reason::Forbidden, message).with_details(StatusDetails::of(request, name))
    }

    /// Creates the Status of an object that breaks rules.
    pub(in crate::api) fn invalid(
        request: &ResourceRequest,
        name: &str,
        causes: Vec<Cause>,
    ) -> Self {
        let kind = request.resource.kind().to_owned();
        let details = StatusDetails { kind, ..StatusDetails::of(request, name) };
        Self::of_causes(&request.qualified_kind(), details, causes)
    }

    /// Creates the Status of options that are invalid or contradict each other. `kind` is that of
    /// the options in Kubernetes, such as `ListOptions`.
    pub(in crate::api) fn invalid_options(kind: &str, causes: Vec<Cause>) -> Self {
        let group = "meta.k8s.io";
        let details = StatusDetails {
            group: group.to_owned(),
            kind: kind.to_owned(),
            ..StatusDetails::default()
        };
        Self::of_causes(&format!("{kind}.{group}"), details, causes)
    }

    fn of_causes(qualified_kind: &str, details: StatusDetails, causes: Vec<Cause>) -> Self {
        let errors: Vec<_> = causes.iter().map(Cause::to_string).collect();
        let errors = match errors.as_slice() {
            [error] => error.clone(),
            errors => format!("[{}]", errors.join(", ")),
        };
        let message = format!("{qualified_kind} \"{}\" is invalid: {errors}", details.name);
        let causes = causes.into_iter().map(StatusCause::Field).collect();
        Self::failure(Reason::Invalid, message).with_details(StatusDetails { causes, ..details })
    }
}
