//! The order of the versions of an object that watches and responses to writes return.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ObjectKey;

/// Maximum time from the response to a write until the watch reports the write. A watch that
/// reports an older version after this time is right: the resource versions of a cluster go back if
/// its etcd is restored from a backup.
const MAX_WATCH_DELAY: Duration = Duration::from_secs(60);

/// The versions that responses to writes have returned, and that no watch has reported yet. The
/// events of watches and their lists arrive in order, so that only a response can be newer than an
/// event that arrives later.
#[derive(Debug, Default)]
pub(super) struct UnconfirmedVersions(BTreeMap<ObjectKey, (Box<str>, Instant)>);

impl UnconfirmedVersions {
    /// Records the version of a response.
    pub(super) fn insert(&mut self, key: &ObjectKey, version: &str, now: Instant) {
        self.0.insert(key.clone(), (version.into(), now));
    }

    /// Forgets an object that was deleted.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }

    /// Returns `true` if a version that a watch has reported is older than that of a response. The
    /// version of the response is forgotten otherwise.
    pub(super) fn supersede(&mut self, key: &ObjectKey, version: &str, now: Instant) -> bool {
        let Some((written, at)) = self.0.get(key) else { return false };
        let is_superseded = is_newer(written, version) && now - *at < MAX_WATCH_DELAY;
        if !is_superseded {
            self.0.remove(key);
        }
        is_superseded
    }
}

/// Returns `true` if resource version `one` is newer than `other`. Kubernetes guarantees [integers
/// that increase]; with a server that uses others, the version that arrives last counts as the
/// newer one.
///
/// [integers that increase]: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
pub(super) fn is_newer(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    fn key() -> ObjectKey {
        ObjectKey::namespaced(ObjectKind::Gateway, &"default/g".parse().unwrap())
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_newer("10", "9"));
        assert!(!is_newer("9", "10"));
        assert!(!is_newer("9", "9"));
        assert!(!is_newer("b", "a"));
    }

    #[test]
    fn older_version_is_superseded_until_the_watch_reports_the_response() {
        let now = Instant::now();
        let mut versions = UnconfirmedVersions::default();
        assert!(!versions.supersede(&key(), "7", now));
        versions.insert(&key(), "9", now);
        assert!(versions.supersede(&key(), "7", now));
        assert!(versions.supersede(&key(), "8", now));
        assert!(!versions.supersede(&key(), "9", now));
        // A list after a restore of etcd.
        assert!(!versions.supersede(&key(), "3", now));
    }

    #[test]
    fn older_version_is_right_after_a_time() {
        let now = Instant::now();
        let mut versions = UnconfirmedVersions::default();
        versions.insert(&key(), "9", now);
        assert!(versions.supersede(&key(), "3", now + MAX_WATCH_DELAY / 2));
        assert!(!versions.supersede(&key(), "3", now + MAX_WATCH_DELAY));
        assert!(!versions.supersede(&key(), "2", now));
    }
}
