//! The claim of a release on the GatewayClasses of a controller name: an annotation that the
//! release renews.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::NamespacedName;

/// Time for which a claim is valid after it was renewed. It is longer than the time in which
/// another replica of the release becomes the leader.
///
/// It is not part of the claim, so that no annotation can block a release for longer.
pub(super) const VALIDITY: Duration = Duration::from_secs(120);

/// A claim, as the annotation contains it.
///
/// It has a time of its own, so that other releases need no permission to read the Lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claim {
    /// Namespace and name of the Lease of the release, by which its replicas elect the leader.
    pub(super) lease: String,
    /// The time of the renewal. Other releases compare it with earlier times only for equality,
    /// because it comes from another clock.
    renew_time: Timestamp,
}

impl Claim {
    /// Creates the claim of a release.
    pub(super) fn new(lease: &NamespacedName, now: Timestamp) -> Self {
        Self { lease: lease.to_string(), renew_time: now }
    }

    /// Parses an annotation. Returns `None` if it is not a claim.
    pub(super) fn parse(annotation: &str) -> Option<Self> {
        serde_json::from_str(annotation).ok()
    }

    /// Returns the text of the annotation.
    pub(super) fn to_annotation(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
