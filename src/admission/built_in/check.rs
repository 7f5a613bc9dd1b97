//! The rules of each kind.

use serde_json::Value;

use super::{
    cluster_ip, config_map, deployment, endpoint_slice, event, lease, namespace, secret, service,
};
use crate::admission::changed_parts::ChangedParts;
use crate::admission::settings::Settings;
use crate::admission::target::Target;
use crate::schema::{Causes, Resource};

/// Returns the causes for which the rules of a built-in kind refuse the changed parts of an object.
/// Both objects are of the stored version.
pub(in crate::admission) fn check(
    object: &Value,
    old: Option<&Value>,
    changed: ChangedParts,
    target: &Target<'_>,
    settings: Settings,
) -> Causes {
    let mut causes = Causes::default();
    let resource = target.resource;
    if changed.content {
        check_content(object, old, resource, settings, &mut causes);
    }
    if changed.status {
        check_status(object, resource, &mut causes);
    }
    causes
}

fn check_content(
    object: &Value,
    old: Option<&Value>,
    resource: &Resource,
    settings: Settings,
    causes: &mut Causes,
) {
    match (resource.storage_group(), resource.kind()) {
        ("", "Service") => service::check(object, old, causes),
        ("", "ConfigMap") => config_map::check(object, old, causes),
        ("", "Secret") => secret::check(object, old, causes),
        ("", "Namespace") => namespace::check(object, causes),
        ("", "Event") => event::check(object, old, resource.group(), causes),
        ("apps", "Deployment") => deployment::check(object, old, causes),
        ("coordination.k8s.io", "Lease") => lease::check(object, causes),
        ("discovery.k8s.io", "EndpointSlice") => {
            endpoint_slice::check(object, old, settings, causes);
        }
        _ => {}
    }
}

fn check_status(object: &Value, resource: &Resource, causes: &mut Causes) {
    match (resource.storage_group(), resource.kind()) {
        ("", "Service") => service::check_status(object, causes),
        ("", "Namespace") => namespace::check_status(object, causes),
        _ => {}
    }
}

/// Sets the fields of a new object that a client may leave out because the stored object has them.
pub(in crate::admission) fn keep_allocated(
    object: &mut Value,
    old: Option<&Value>,
    resource: &Resource,
) {
    if (resource.group(), resource.kind()) == ("", "Service") {
        cluster_ip::keep_allocated(object, old);
    }
}
