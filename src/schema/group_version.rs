//! The group versions of the schema table.

use super::resource::{Resource, ServedVersion};
use super::resource_table::resources;

/// Group and version, such as `apps/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GroupVersion {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
}

impl GroupVersion {
    /// Returns the path of the resources without the first slash: `api/v1` or `apis/apps/v1`.
    pub(super) fn path(self) -> String {
        if self.group.is_empty() {
            format!("api/{}", self.version)
        } else {
            format!("apis/{}/{}", self.group, self.version)
        }
    }

    /// Returns the `apiVersion` of objects.
    pub(super) fn api_version(self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns the resources that are served in this version.
    pub(super) fn resources(
        self,
    ) -> impl Iterator<Item = (&'static Resource, &'static ServedVersion)> {
        let of_group = resources().iter().filter(move |one| one.group() == self.group);
        of_group.filter_map(move |one| Some((one, one.version(self.version)?)))
    }
}

/// Returns the groups, without repetitions, in the order of the table.
pub(super) fn groups() -> Vec<&'static str> {
    let mut groups = Vec::new();
    for resource in resources() {
        if !groups.contains(&resource.group()) {
            groups.push(resource.group());
        }
    }
    groups
}

/// Returns the versions of a group, the one to prefer first.
pub(super) fn versions(group: &str) -> Vec<GroupVersion> {
    let mut versions = Vec::new();
    for resource in resources().iter().filter(|one| one.group() == group) {
        for version in resource.versions() {
            let found = GroupVersion { group: resource.group(), version: version.name() };
            if !versions.contains(&found) {
                versions.push(found);
            }
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_of_preference() {
        let names = |group| versions(group).into_iter().map(|one| one.version).collect::<Vec<_>>();
        assert_eq!(names("gateway.networking.k8s.io"), ["v1", "v1beta1", "v1alpha2"]);
        assert_eq!(names(""), ["v1"]);
        assert_eq!(names("batch"), [""; 0]);
        assert!(groups().starts_with(&["", "apps"]), "{:?}", groups());
    }

    #[test]
    fn resources_depend_on_the_version() {
        let alpha = GroupVersion { group: "gateway.networking.k8s.io", version: "v1alpha2" };
        let kinds: Vec<_> = alpha.resources().map(|(resource, _)| resource.kind()).collect();
        assert_eq!(kinds, ["TCPRoute"]);
        assert_eq!(alpha.path(), "apis/gateway.networking.k8s.io/v1alpha2");
        let core = GroupVersion { group: "", version: "v1" };
        assert_eq!((core.path(), core.api_version()), ("api/v1".into(), "v1".into()));
    }
}
