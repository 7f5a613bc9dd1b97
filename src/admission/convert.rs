//! Conversion between the stored version of an object and the served ones.

use serde_json::Value;

use crate::schema::{EventGroup, Resource, ServedVersion, convert_event};

/// Converts an object to the group and version in which it is stored.
pub fn convert_to_stored(object: &mut Value, resource: &Resource) {
    if resource.kind() == "Event" {
        convert_event(object, EventGroup::Core);
        return;
    }
    set_api_version(object, resource.api_version(resource.storage_version()));
}

/// Converts a stored object to a served group and version.
pub fn convert_to_served(object: &mut Value, resource: &Resource, version: &ServedVersion) {
    if resource.kind() == "Event" {
        let group = if resource.group().is_empty() { EventGroup::Core } else { EventGroup::Events };
        convert_event(object, group);
        return;
    }
    set_api_version(object, resource.api_version(version));
}

fn set_api_version(object: &mut Value, api_version: String) {
    if let Some(object) = object.as_object_mut() {
        object.insert("apiVersion".into(), api_version.into());
    }
}
