//! Roles of tokens.

use std::fmt;
use std::str::FromStr;

use crate::api::request::{ResourcePath, Verb};

/// Permissions of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Reads everything but Secrets.
    View,
    /// Reads everything, and changes everything but status.
    Edit,
    /// Reads everything but Secrets, and writes status, Leases and Events: a gateway.
    Gateway,
    /// Reads and changes everything.
    Admin,
}

impl Role {
    const ALL: [Self; 4] = [Self::View, Self::Edit, Self::Gateway, Self::Admin];

    /// Returns the name, such as in a file of tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Gateway => "gateway",
            Self::Admin => "admin",
        }
    }

    /// Returns a description of the permissions.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::View => "reads everything but Secrets, and changes nothing",
            Self::Edit => "reads everything and changes everything but status",
            Self::Gateway => "reads everything but Secrets and writes status, Leases and Events",
            Self::Admin => "reads and changes everything",
        }
    }

    /// Returns `true` if the role may do `verb` to the objects of a path.
    pub(super) fn allows(self, verb: Verb, path: &ResourcePath) -> bool {
        let is_secret = path.group.is_empty() && path.resource == "secrets";
        // Only admins may use other subresources, so that one that is added needs a rule here.
        let is_status = path.subresource.as_deref() == Some("status");
        let is_object = path.subresource.is_none();
        match self {
            Self::Admin => true,
            Self::View => verb.is_read() && !is_secret && (is_object || is_status),
            Self::Edit => (verb.is_read() && is_status) || is_object,
            Self::Gateway if is_secret => false,
            Self::Gateway if is_status => true,
            Self::Gateway => is_object && (verb.is_read() || is_written_by_gateways(path)),
        }
    }
}

/// Returns `true` if gateways write whole objects of the resource.
fn is_written_by_gateways(path: &ResourcePath) -> bool {
    matches!(
        (path.group.as_str(), path.resource.as_str()),
        ("coordination.k8s.io", "leases") | ("" | "events.k8s.io", "events")
    )
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Error of a text that is not a role. It does not contain the text, which may be a token in the
/// wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role is unknown; expected view, edit, gateway or admin")]
pub struct InvalidRole(());

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(InvalidRole(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERBS: [Verb; 8] = [
        Verb::Get,
        Verb::List,
        Verb::Watch,
        Verb::Create,
        Verb::Update,
        Verb::Patch,
        Verb::Delete,
        Verb::DeleteCollection,
    ];

    fn path(group: &str, resource: &str, subresource: Option<&str>) -> ResourcePath {
        ResourcePath {
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.map(str::to_owned),
            ..ResourcePath::default()
        }
    }

    /// Returns the verbs that the role may do: r for all that read, w for all that write.
    fn allowed(role: Role, path: &ResourcePath) -> &'static str {
        let (read, write): (Vec<_>, Vec<_>) = VERBS.into_iter().partition(|verb| verb.is_read());
        let count = |verbs: &[Verb]| verbs.iter().filter(|verb| role.allows(**verb, path)).count();
        match (count(&read), count(&write)) {
            (3, 5) => "rw",
            (3, 0) => "r",
            (0, 5) => "w",
            (0, 0) => "-",
            other => panic!("{role} may do a part of the verbs to {path:?}: {other:?}"),
        }
    }

    #[test]
    fn roles_allow_the_verbs_of_their_description() {
        for (group, resource, subresource, view, edit, gateway) in [
            ("gateway.networking.k8s.io", "gateways", None, "r", "rw", "r"),
            ("gateway.networking.k8s.io", "gateways", Some("status"), "r", "r", "rw"),
            ("", "services", None, "r", "rw", "r"),
            ("", "namespaces", None, "r", "rw", "r"),
            ("", "secrets", None, "-", "rw", "-"),
            ("", "secrets", Some("status"), "-", "r", "-"),
            ("", "configmaps", None, "r", "rw", "r"),
            ("example.com", "secrets", None, "r", "rw", "r"),
            ("", "events", None, "r", "rw", "rw"),
            ("events.k8s.io", "events", None, "r", "rw", "rw"),
            ("coordination.k8s.io", "leases", None, "r", "rw", "rw"),
            ("example.com", "leases", None, "r", "rw", "r"),
            ("", "namespaces", Some("finalize"), "-", "-", "-"),
            ("apps", "deployments", Some("scale"), "-", "-", "-"),
        ] {
            let path = path(group, resource, subresource);
            let found = [Role::View, Role::Edit, Role::Gateway].map(|role| allowed(role, &path));
            let place = format!("{group}/{resource} {subresource:?}");
            assert_eq!(found, [view, edit, gateway], "{place}");
            assert_eq!(allowed(Role::Admin, &path), "rw", "{place}");
        }
    }

    #[test]
    fn role_has_a_name() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for bad in ["", "View", "view ", "root"] {
            assert_eq!(bad.parse::<Role>(), Err(InvalidRole(())), "{bad}");
        }
    }
}
