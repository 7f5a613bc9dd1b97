//! Two releases with one controller name: one of them writes, and both report it.
//!
//! ```text
//!  no valid claim of another release      claim of another release is valid
//!            │                                          │
//!            ▼                                          ▼
//!        claims all classes ◄── claim expires ── announces itself as contender
//!            │                                          │
//!  writes, renews the claim                       writes nothing else
//! ```
//!
//! A claim is written with the resource version of the class, so of two releases that start at the
//! same moment one gets a conflict. A source without an election makes no claim, because nothing
//! identifies it beyond the life of its process. It respects the claims of releases.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::claim::Claim;
use super::observed_claims::{ObservedClaim, ObservedClaims};
use super::pending_write::PendingWrite;
use crate::model::{
    Condition, ConditionStatus, ConditionType, GatewayController, NamespacedName, ObjectKey, Reason,
};
use crate::sources::kube::cache::Cache;
use crate::sources::kube::observed::{CLAIM_ANNOTATION, CONTENDER_ANNOTATION};

/// Interval at which a release renews its claim. Two renewals may fail before the claim expires.
const RENEW_INTERVAL: Duration = Duration::from_secs(40);

/// Time after which a claim is tried again that the API server has forbidden.
const FORBIDDEN_RETRY_INTERVAL: Duration = Duration::from_secs(600);

/// The type of the condition of a GatewayClass while two releases have its controller name.
pub(super) const SHARED_CONDITION: &str = "sluicegate.dev/ControllerNameShared";

/// The claims of this release and of others on the GatewayClasses of a controller name.
#[derive(Debug)]
pub(super) struct ReleaseClaims {
    controller: GatewayController,
    /// The Lease of this release; `None` if it has no leader election.
    lease: Option<NamespacedName>,
    observed: ObservedClaims,
    /// The time of the next attempt, if the permission to write a claim is missing. The release
    /// then writes without one.
    forbidden_until: Option<Instant>,
    /// The other release that was last reported, and `true` if it held the claim.
    reported: Option<(String, bool)>,
}

/// The claim on the oldest class, as this release observes it.
#[derive(Debug, PartialEq, Eq)]
enum Standing<'a> {
    /// This release has a valid claim.
    Held,
    /// No release has a valid claim.
    Free,
    /// Another release has a valid claim.
    Foreign(&'a ObservedClaim),
}

impl ReleaseClaims {
    pub(super) fn new(controller: GatewayController, lease: Option<NamespacedName>) -> Self {
        let observed = ObservedClaims::default();
        Self { controller, lease, observed, forbidden_until: None, reported: None }
    }

    /// Reads the claims from the cache.
    pub(super) fn observe(&mut self, cache: &Cache, now: Instant) {
        self.observed.update(cache, &self.controller, now);
    }

    fn standing(&self, now: Instant) -> Standing<'_> {
        let first = self.observed.first().and_then(|(_, state)| state.holder.as_ref());
        match first.filter(|holder| holder.until() > now) {
            Some(holder) if self.is_own(holder) => Standing::Held,
            Some(holder) => Standing::Foreign(holder),
            None => Standing::Free,
        }
    }

    fn is_own(&self, observed: &ObservedClaim) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.to_string() == observed.claim.lease)
    }

    /// Returns `true` if this release may write objects other than its claim.
    pub(super) fn may_write(&self, now: Instant) -> bool {
        match self.standing(now) {
            Standing::Held => true,
            Standing::Foreign(_) => false,
            Standing::Free => {
                self.lease.is_none()
                    || self.forbidden_until.is_some()
                    || self.observed.first().is_none()
            }
        }
    }

    /// Returns the write of a claim that a class needs now, and the time at which the class must be
    /// compared again.
    pub(super) fn pending_write(
        &self,
        class: &ObjectKey,
        now: Instant,
    ) -> (Option<PendingWrite>, Option<Instant>) {
        let Some(state) = self.observed.get(class) else { return (None, None) };
        let is_first = self.observed.first().is_some_and(|(first, _)| first == class);
        let standing = self.standing(now);
        let expiry = match &standing {
            Standing::Foreign(holder) => Some(holder.until()),
            Standing::Held | Standing::Free => None,
        };
        let contender = state.contender.as_ref().filter(|contender| contender.until() > now);
        let contender_expiry = contender.map(ObservedClaim::until);
        // The claim on the first class decides, so it is written first.
        let is_own_turn = is_first || standing == Standing::Held;
        let Some(lease) = self.lease.as_ref().filter(|_| is_own_turn) else {
            return (None, earliest([expiry, contender_expiry]));
        };
        if let Some(until) = self.forbidden_until.filter(|until| *until > now) {
            return (None, earliest([expiry, contender_expiry, Some(until)]));
        }
        let (known, annotation) = match expiry {
            Some(_) => (contender, CONTENDER_ANNOTATION),
            None => (state.holder.as_ref(), CLAIM_ANNOTATION),
        };
        let renew_at = match known {
            Some(known) if self.is_own(known) => known.since + RENEW_INTERVAL,
            // Of several contenders one is announced.
            Some(known) if annotation == CONTENDER_ANNOTATION => known.until(),
            _ => now,
        };
        if renew_at > now {
            return (None, earliest([expiry, contender_expiry, Some(renew_at)]));
        }
        let claim = Claim::new(lease, Timestamp::now()).to_annotation();
        let mut annotations = json!({ annotation: claim });
        let is_outdated =
            state.contender.is_some() && contender.is_none_or(|known| self.is_own(known));
        if annotation == CLAIM_ANNOTATION && is_outdated {
            annotations[CONTENDER_ANNOTATION] = Value::Null;
        }
        (Some(PendingWrite::Claim(annotations)), None)
    }

    /// Restarts the age of the claims of other releases. While this release could not reach the API
    /// server, another one may not have been able to renew its claim either, and must have time to
    /// do so.
    pub(super) fn restart_expiry(&mut self, now: Instant) {
        let own = self.lease.as_ref().map(ToString::to_string);
        self.observed.restart(now, |claim| Some(&claim.lease) != own.as_ref());
    }

    /// Records that the API server has forbidden to write a claim.
    pub(super) fn record_forbidden(&mut self, now: Instant) {
        self.forbidden_until = Some(now + FORBIDDEN_RETRY_INTERVAL);
    }

    /// Records that a claim was written.
    pub(super) fn record_write(&mut self) {
        self.forbidden_until = None;
    }

    /// Returns the other release that has the controller name, if this release holds the claim.
    fn contender(&self, now: Instant) -> Option<&ObservedClaim> {
        let (_, state) = self.observed.first().filter(|_| self.standing(now) == Standing::Held)?;
        let contender = state.contender.as_ref().filter(|contender| contender.until() > now);
        contender.filter(|contender| !self.is_own(contender))
    }

    /// Returns the condition of the classes while another release has the controller name.
    pub(super) fn condition(&self, now: Instant) -> Option<Condition> {
        let (contender, lease) = (self.contender(now)?, self.lease.as_ref()?);
        let message = format!(
            "Two releases have the controller name {}: the release with the Lease {lease} writes \
             status and Services, and the release with the Lease {} writes neither. Give each \
             release a controllerName and a GatewayClass of its own, or uninstall one.",
            self.controller, contender.claim.lease
        );
        let (condition_type, reason) =
            (ConditionType::new(SHARED_CONDITION), Reason::new("OtherRelease"));
        Some(Condition::new(condition_type, ConditionStatus::True, reason, message, None))
    }

    /// Logs that another release with the controller name has appeared or is gone.
    pub(super) fn report(&mut self, now: Instant) {
        let other = match self.standing(now) {
            Standing::Foreign(holder) => Some((holder.claim.lease.clone(), true)),
            Standing::Held => self.contender(now).map(|other| (other.claim.lease.clone(), false)),
            Standing::Free => None,
        };
        if other == self.reported {
            return;
        }
        match &other {
            Some((lease, true)) => tracing::warn!(
                controller = %self.controller,
                "another release claims the GatewayClasses of this controller name: the one with \
                 the Lease {lease}. This release writes no status and no Services until that claim \
                 expires; give each release a controllerName and a GatewayClass of its own, or \
                 uninstall one"
            ),
            Some((lease, false)) => tracing::warn!(
                controller = %self.controller,
                "another release has this controller name: the one with the Lease {lease}. It \
                 writes no status and no Services, because this release does; give each release a \
                 controllerName and a GatewayClass of its own, or uninstall one"
            ),
            None => tracing::info!(
                controller = %self.controller,
                "no other release claims the GatewayClasses of this controller name any longer"
            ),
        }
        self.reported = other;
    }
}

fn earliest<const COUNT: usize>(times: [Option<Instant>; COUNT]) -> Option<Instant> {
    times.into_iter().flatten().min()
}
