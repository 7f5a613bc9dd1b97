//! The Status of Kubernetes' API.

use std::borrow::Cow;

use http::StatusCode;
use serde::{Serialize, Serializer};

use super::reason::Reason;
use crate::schema::Cause;

/// Result of a request that is not an object: a failure, or the success of a deletion.
#[derive(Debug, Clone, Serialize)]
pub(in crate::api) struct Status {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: ListMetadata,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Box<StatusDetails>>,
    #[serde(serialize_with = "serialize_code", skip_serializing_if = "is_success")]
    code: StatusCode,
}

/// Metadata of a Status. An expired list has the token to continue with.
#[derive(Debug, Clone, Default, Serialize)]
struct ListMetadata {
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Object or resource that a Status is about.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct StatusDetails {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::api) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::api) group: String,
    /// The resource, or the kind if the object is invalid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::api) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::api) uid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::api) causes: Vec<StatusCause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) retry_after_seconds: Option<u32>,
}

/// Entry of `details.causes`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(in crate::api) enum StatusCause {
    /// A field that was refused.
    Field(Cause),
    /// Another cause, with a reason of Kubernetes.
    Other {
        reason: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'static str>,
    },
}

impl Status {
    /// Creates the Status of a failure.
    pub(in crate::api) fn failure(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            reason: Some(reason),
            ..Self::without_reason("Failure", reason.code())
        }
    }

    /// Creates the Status of a success without an object, as that of a deletion.
    pub(in crate::api) fn success(details: StatusDetails) -> Self {
        Self::without_reason("Success", StatusCode::OK).with_details(details)
    }

    fn without_reason(status: &'static str, code: StatusCode) -> Self {
        Self {
            kind: "Status",
            api_version: "v1",
            metadata: ListMetadata::default(),
            status,
            message: Cow::Borrowed(""),
            reason: None,
            details: None,
            code,
        }
    }

    /// Creates the Status of a malformed request.
    pub(in crate::api) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::failure(Reason::BadRequest, message)
    }

    /// Creates the Status of a request without a valid token.
    pub(in crate::api) fn unauthorized() -> Self {
        Self::failure(Reason::Unauthorized, "Unauthorized")
    }

    /// Creates the Status of a request that is not allowed.
    pub(in crate::api) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::failure(Reason::Forbidden, message)
    }

    /// Creates the Status of a path that is not served. kubectl prints this text for it.
    pub(in crate::api) fn path_not_found() -> Self {
        Self::failure(Reason::NotFound, "the server could not find the requested resource")
            .with_details(StatusDetails::default())
    }

    /// Creates the Status of a method that the path does not have.
    pub(in crate::api) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::failure(Reason::MethodNotAllowed, message).with_details(StatusDetails::default())
    }

    /// Creates the Status of a body whose media type is not read. `accepted` are those that are.
    pub(in crate::api) fn unsupported_media_type(accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::failure(Reason::UnsupportedMediaType, message)
    }

    /// Creates the Status of an Accept header that matches no media type of the answer.
    pub(in crate::api) fn not_acceptable(accepted: &[&str]) -> Self {
        let message =
            format!("only the following media types are accepted: {}", accepted.join(", "));
        Self::failure(Reason::NotAcceptable, message)
    }

    /// Creates the Status of a body or object beyond a limit.
    pub(in crate::api) fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::failure(Reason::RequestEntityTooLarge, message)
    }

    /// Creates the Status of a request to be sent again after some seconds.
    pub(in crate::api) fn too_many_requests(
        message: impl Into<Cow<'static, str>>,
        retry_after_seconds: u32,
    ) -> Self {
        Self::failure(Reason::TooManyRequests, message).with_retry_after(retry_after_seconds)
    }

    /// Sets the details.
    #[must_use]
    pub(in crate::api) fn with_details(self, details: StatusDetails) -> Self {
        Self { details: Some(Box::new(details)), ..self }
    }

    /// Adds a cause.
    #[must_use]
    pub(in crate::api) fn with_cause(mut self, cause: StatusCause) -> Self {
        self.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// Sets the seconds after which a client may send the request again.
    #[must_use]
    pub(in crate::api) fn with_retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = Some(seconds);
        self
    }

    /// Sets the token that continues a list.
    #[must_use]
    pub(in crate::api) fn with_continue(mut self, token: String) -> Self {
        self.metadata.next = Some(token);
        self
    }

    /// Returns the HTTP code.
    pub(in crate::api) fn code(&self) -> StatusCode {
        self.code
    }

    /// Returns the seconds after which a client may send the request again.
    pub(in crate::api) fn retry_after_seconds(&self) -> Option<u32> {
        self.details.as_ref()?.retry_after_seconds
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_success(code: &StatusCode) -> bool {
    code.is_success()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn serialize_code<S: Serializer>(code: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(code.as_u16())
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn failure_has_the_shape_that_clients_read() {
        let details =
            StatusDetails { name: "a".into(), kind: "services".into(), ..Default::default() };
        let status =
            Status::failure(Reason::NotFound, "services \"a\" not found").with_details(details);
        let expected = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "services \"a\" not found",
            "reason": "NotFound",
            "details": {"name": "a", "kind": "services"},
            "code": 404,
        });
        assert_eq!(to_value(&status).unwrap(), expected);
    }

    #[test]
    fn success_has_neither_reason_nor_code() {
        let details = StatusDetails { name: "a".into(), uid: "u".into(), ..Default::default() };
        let expected = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "a", "uid": "u"},
        });
        assert_eq!(to_value(Status::success(details)).unwrap(), expected);
    }

    #[test]
    fn retry_after_and_continue_are_in_their_places() {
        let status = Status::too_many_requests("busy", 3).with_continue("token".into());
        let json = to_value(&status).unwrap();
        assert_eq!(json["details"]["retryAfterSeconds"], 3);
        assert_eq!(json["metadata"]["continue"], "token");
        assert_eq!((status.code().as_u16(), status.retry_after_seconds()), (429, Some(3)));
    }
}
