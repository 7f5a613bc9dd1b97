//! Failures about a path that is not served.

use super::reason::Reason;
use super::status::{Status, StatusDetails};
use crate::api::request::{NotServed, ResourcePath};

impl Status {
    /// Creates the Status of a request that is not served.
    pub(in crate::api) fn not_served(reason: &NotServed) -> Self {
        match reason {
            NotServed::Resource(path) => {
                let name = joined(&[&path.resource, &path.version, &path.group]);
                let message = format!(
                    "the server could not find the requested resource: {name} is not served; \
                     kubectl api-resources lists those that are"
                );
                Self::of_path(message, path)
            }
            NotServed::Subresource(path) => {
                let subresource = path.subresource.as_deref().unwrap_or_default();
                let remedy = match subresource {
                    "scale" => "change spec.replicas of the object instead, as with kubectl patch",
                    _ => "only the object can be read and changed",
                };
                let name = joined(&[&path.resource, &path.group]);
                let message = format!("{name} has no subresource {subresource} here; {remedy}");
                Self::of_path(message, path)
            }
            NotServed::Path => Self::path_not_found(),
            NotServed::Method => Self::method_not_allowed(),
        }
    }

    fn of_path(message: String, path: &ResourcePath) -> Self {
        Self::failure(Reason::NotFound, message).with_details(StatusDetails {
            name: path.name.clone().unwrap_or_default(),
            group: path.group.clone(),
            kind: path.resource.clone(),
            ..StatusDetails::default()
        })
    }
}

/// Joins the parts of a name with dots, as kubectl does: `deployments.v1.apps`, `pods.v1`.
fn joined(parts: &[&str]) -> String {
    parts.join(".").trim_end_matches('.').to_owned()
}
