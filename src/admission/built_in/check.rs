//! The rules of each kind.

use serde_json::Value;

use super::{
    cluster_ip, config_map, deployment, endpoint_slice, event, lease, namespace, secret, service,
};
use crate::admission::settings::Settings;
use crate::admission::target::Target;
use crate::schema::{Cause, Resource};

/// Returns the causes for which the rules of a built-in kind refuse an object. Both objects are of
/// the stored version.
pub(in crate::admission) fn check(
    object: &Value,
    old: Option<&Value>,
    target: &Target<'_>,
    settings: Settings,
) -> Vec<Cause> {
    let mut causes = Vec::new();
    let resource = target.resource;
    match (resource.storage_group(), resource.kind()) {
        ("", "Service") => service::check(object, old, &mut causes),
        ("", "ConfigMap") => config_map::check(object, old, &mut causes),
        ("", "Secret") => secret::check(object, old, &mut causes),
        ("", "Namespace") => namespace::check(object, &mut causes),
        ("", "Event") => event::check(object, old, resource.group(), &mut causes),
        ("apps", "Deployment") => deployment::check(object, old, &mut causes),
        ("coordination.k8s.io", "Lease") => lease::check(object, &mut causes),
        ("discovery.k8s.io", "EndpointSlice") => {
            endpoint_slice::check(object, old, settings, &mut causes);
        }
        _ => {}
    }
    causes
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
