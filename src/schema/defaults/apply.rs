//! Sets the defaults of an object.

use serde_json::Value;

use super::{built_in, structural};
use crate::schema::resource::{Resource, ServedVersion};

/// Sets the defaults of an object, and removes `null` from fields that cannot be null.
///
/// A server calls it after it has removed or restored the status of an object in a request: some
/// custom resources have a default of the status.
pub fn apply_defaults(object: &mut Value, resource: &Resource, version: &ServedVersion) {
    structural::apply(object, version.schema());
    if !resource.is_custom() {
        built_in::apply(object, resource.group(), resource.kind());
    }
}
