//! The target of a request, as its path names it.

use crate::schema::{Resource, ServedVersion};

/// Resource, version, namespace and name in the path of a request.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "these are the parts of a path")]
pub struct Target<'a> {
    /// The resource.
    pub resource: &'static Resource,
    /// The version of the request, which is also that of the answer.
    pub version: &'static ServedVersion,
    /// The namespace; `None` for a cluster-scoped resource.
    pub namespace: Option<&'a str>,
    /// The name; `None` for a new object.
    pub name: Option<&'a str>,
}
