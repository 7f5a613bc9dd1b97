//! Stored objects in the version of a request.

use serde_json::Value;

use super::request::ResourceRequest;
use crate::admission::convert_to_served;
use crate::store::StoredObject;

/// Returns a stored object in the version of a request.
pub(super) fn served_value(object: &StoredObject, request: &ResourceRequest) -> Value {
    let mut value = object.to_value();
    convert_to_served(&mut value, request.resource, request.version);
    value
}

/// Appends a stored object in the version of a request, as JSON. The text of the store is copied
/// if it has this version already.
pub(super) fn write_served(object: &StoredObject, request: &ResourceRequest, out: &mut Vec<u8>) {
    let (resource, version) = (request.resource, request.version);
    let is_stored_group = resource.group() == resource.storage_group();
    if is_stored_group && version.name() == resource.storage_version().name() {
        object.write_json(out);
    } else {
        out.extend_from_slice(served_value(object, request).to_string().as_bytes());
    }
}
