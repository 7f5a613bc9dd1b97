//! Objects in the body of a request.

use std::error::Error;

use crate::admission::{BodyFormat, DecodeError, Target, decode};
use crate::api::request::ResourceRequest;
use crate::api::status::{Reason, Status};
use crate::schema::JsonDocument;

/// Media types of a body. Protobuf and CBOR are not read.
const ACCEPTED: [&str; 2] = ["application/json", "application/yaml"];

/// Media type of the bodies of `kubectl create namespace` and similar commands.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Decodes the body of a request.
pub(super) fn read_body(request: &ResourceRequest, body: &[u8]) -> Result<JsonDocument, Status> {
    let format = match media_type(request).as_str() {
        "" | "application/json" => BodyFormat::Json,
        "application/yaml" => BodyFormat::Yaml,
        PROTOBUF => {
            let message = "protobuf is not supported; write the object with --dry-run=client \
                           -o yaml and pipe it to kubectl apply -f -";
            return Err(Status::failure(Reason::UnsupportedMediaType, message));
        }
        _ => return Err(Status::unsupported_media_type(&ACCEPTED)),
    };
    decode(body, format).map_err(|error| Status::bad_request(describe(&error)))
}

/// Returns the media type of a body without parameters; empty if the request has none.
pub(super) fn media_type(request: &ResourceRequest) -> String {
    let content_type = request.content_type.as_deref().unwrap_or_default();
    let (media_type, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    media_type.trim().to_ascii_lowercase()
}

/// Returns the target of a request.
pub(super) fn target(request: &ResourceRequest) -> Target<'_> {
    Target {
        resource: request.resource,
        version: request.version,
        namespace: request.namespace.as_deref(),
        name: request.name.as_deref(),
    }
}

fn describe(error: &DecodeError) -> String {
    match error.source() {
        Some(source) => {
            let reason = source.source().map_or_else(|| source.to_string(), ToString::to_string);
            format!("{error}: {reason}")
        }
        None => error.to_string(),
    }
}
