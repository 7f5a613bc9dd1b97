//! Verbs of the API.

use http::Method;

/// Verb of a request, as in discovery and in the roles of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// Returns the verb of a method. A path without a name leads to many objects.
    pub(in crate::api) fn new(method: &Method, has_name: bool, is_watch: bool) -> Option<Self> {
        match (method.as_str(), has_name) {
            ("GET" | "HEAD", true) => Some(Self::Get),
            ("GET" | "HEAD", false) if is_watch => Some(Self::Watch),
            ("GET" | "HEAD", false) => Some(Self::List),
            ("POST", _) => Some(Self::Create),
            ("PUT", _) => Some(Self::Update),
            ("PATCH", _) => Some(Self::Patch),
            ("DELETE", true) => Some(Self::Delete),
            ("DELETE", false) => Some(Self::DeleteCollection),
            _ => None,
        }
    }

    /// Returns the name.
    pub(in crate::api) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Returns `true` if the verb changes nothing.
    pub(in crate::api) fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }
}
