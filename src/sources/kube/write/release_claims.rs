//! Two releases with one controller name: one of them writes, and both report it.
//!
//! ```text
//!  no valid claim of another release      claim of another release is valid
//!            │                                          │
//!            ▼                                          ▼
//!    claims the oldest class ◄── claim expires ── announces itself as contender
//!            │                                          │
//!  writes, renews the claim                       writes nothing else
//! ```
//!
//! A claim is written with the resource version of the class, so of two releases that start at the
//! same moment one gets a conflict. Only the claim of another release prevents writes: a release
//! whose own claim is refused or does not last writes without one, and tries again with exponential
//! backoff. A source without an election makes no claim, because nothing identifies it beyond the
//! life of its process. It respects the claims of releases.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::claim::Claim;
use super::observed_claims::{ObservedClaim, ObservedClaims};
use super::pending_write::PendingWrite;
use super::request::WriteResult;
use crate::model::{GatewayController, NamespacedName, ObjectKey};
use crate::sources::kube::cache::Cache;
use crate::sources::kube::observed::{CLAIM_ANNOTATION, CONTENDER_ANNOTATION, Content, Observed};

/// Interval at which a release renews its claim. Two renewals may fail before the claim expires.
const RENEW_INTERVAL: Duration = Duration::from_secs(40);

/// Delay before a claim is tried again whose write failed. It doubles with every failure, up to
/// [`MAX_RETRY_DELAY`].
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(600);

/// The claims of this release and of others on the GatewayClasses of a controller name.
#[derive(Debug)]
pub(super) struct ReleaseClaims {
    /// The Lease of this release; `None` if it has no leader election.
    lease: Option<NamespacedName>,
    controller: GatewayController,
    observed: ObservedClaims,
    /// This release has tried to write its claim since the claim of another release expired.
    has_tried: bool,
    /// The next attempt after a failed one.
    retry: Option<Retry>,
    /// The API server did not store the last claim of this release, although it accepted the write.
    is_dropped: bool,
}

#[derive(Debug, Clone, Copy)]
struct Retry {
    at: Instant,
    /// The delay after the next failure.
    delay: Duration,
}

/// The result of the write of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimResult {
    Stored,
    /// The API server accepted the write, and did not store the claim.
    Dropped,
    Conflict,
    Failed,
}

/// The right of this release to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// This release has a valid claim.
    Held,
    /// No release has a valid claim.
    Free,
    /// Another release has a valid claim.
    Foreign(&'a ObservedClaim),
}

impl ReleaseClaims {
    pub(super) fn new(controller: GatewayController, lease: Option<NamespacedName>) -> Self {
        Self {
            lease,
            controller,
            observed: ObservedClaims::default(),
            has_tried: false,
            retry: None,
            is_dropped: false,
        }
    }

    pub(super) fn lease(&self) -> Option<&NamespacedName> {
        self.lease.as_ref()
    }

    pub(super) fn controller(&self) -> &GatewayController {
        &self.controller
    }

    /// Reads the claims from the cache. Returns the class whose claim decides.
    pub(super) fn observe(&mut self, cache: &Cache, now: Instant) -> Option<&ObjectKey> {
        self.observed.update(cache, &self.controller, now);
        self.has_tried &= !self.is_foreign(now);
        self.observed.class()
    }

    pub(super) fn standing(&self, now: Instant) -> Standing<'_> {
        match self.observed.holder().filter(|holder| holder.until() > now) {
            Some(holder) if self.is_own(holder) => Standing::Held,
            Some(holder) => Standing::Foreign(holder),
            None => Standing::Free,
        }
    }

    fn is_foreign(&self, now: Instant) -> bool {
        matches!(self.standing(now), Standing::Foreign(_))
    }

    fn is_own(&self, observed: &ObservedClaim) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.to_string() == observed.claim.lease)
    }

    fn valid_contender(&self, now: Instant) -> Option<&ObservedClaim> {
        self.observed.contender().filter(|contender| contender.until() > now)
    }

    /// Returns the other release that has the controller name, if this release holds the claim.
    pub(super) fn contender(&self, now: Instant) -> Option<&ObservedClaim> {
        let contender = self.valid_contender(now).filter(|contender| !self.is_own(contender));
        contender.filter(|_| self.standing(now) == Standing::Held)
    }

    /// Returns `true` if this release may write objects other than its claim.
    pub(super) fn may_write(&self, now: Instant) -> bool {
        match self.standing(now) {
            Standing::Held => true,
            Standing::Foreign(_) => false,
            Standing::Free => {
                self.has_tried || self.lease.is_none() || self.observed.class().is_none()
            }
        }
    }

    /// Returns the annotation that this release writes, and the claim that it contains.
    fn annotation(&self, now: Instant) -> (&'static str, Option<&ObservedClaim>) {
        match self.is_foreign(now) {
            true => (CONTENDER_ANNOTATION, self.valid_contender(now)),
            false => (CLAIM_ANNOTATION, self.observed.stored_holder()),
        }
    }

    /// Returns the time at which this release must write its claim.
    fn due(&self, now: Instant) -> Instant {
        let at = match self.annotation(now) {
            (_, Some(known)) if self.is_own(known) => known.renewed() + RENEW_INTERVAL,
            // Of several contenders one is announced.
            (CONTENDER_ANNOTATION, Some(known)) => known.until(),
            _ => now,
        };
        // Nothing is written before the first attempt, so it is not delayed.
        let can_wait = self.has_tried || self.is_foreign(now);
        let retry = self.retry.filter(|_| can_wait);
        retry.map_or(at, |retry| at.max(retry.at))
    }

    /// Returns the write of a claim that a class needs now.
    pub(super) fn pending_write(&self, class: &ObjectKey, now: Instant) -> Option<PendingWrite> {
        let lease = self.lease.as_ref()?;
        if self.observed.class() != Some(class) || self.due(now) > now {
            return None;
        }
        let (annotation, known) = self.annotation(now);
        let is_own = known.is_some_and(|known| self.is_own(known));
        let claim = Claim::new(lease, Timestamp::now()).to_annotation();
        let mut annotations = json!({ annotation: claim });
        let is_contender_outdated = self.observed.contender().is_some()
            && self.valid_contender(now).is_none_or(|contender| self.is_own(contender));
        if annotation == CLAIM_ANNOTATION && is_contender_outdated {
            annotations[CONTENDER_ANNOTATION] = Value::Null;
        }
        Some(PendingWrite::Claim { annotations, is_renewal: is_own && !self.is_dropped })
    }

    /// Returns the time after `now` at which a class must be compared again.
    pub(super) fn next(&self, class: &ObjectKey, now: Instant) -> Option<Instant> {
        if self.observed.class() != Some(class) {
            return None;
        }
        let holder = self.observed.holder().filter(|_| self.is_foreign(now));
        let expiries = [holder, self.valid_contender(now)].map(|claim| Some(claim?.until()));
        let due = self.lease.as_ref().map(|_| self.due(now));
        expiries.into_iter().chain([due]).flatten().filter(|at| *at > now).min()
    }

    /// Records the result of the write of a claim.
    pub(super) fn record(&mut self, result: ClaimResult, now: Instant) {
        self.record_attempt(now);
        self.is_dropped = result == ClaimResult::Dropped;
        self.retry = match result {
            ClaimResult::Stored | ClaimResult::Dropped => None,
            ClaimResult::Conflict => self.retry,
            ClaimResult::Failed => {
                let delay = self.retry.map_or(MIN_RETRY_DELAY, |retry| retry.delay);
                Some(Retry { at: now + delay, delay: (delay * 2).min(MAX_RETRY_DELAY) })
            }
        };
    }

    /// Records that this release has tried to write its claim.
    pub(super) fn record_attempt(&mut self, now: Instant) {
        self.has_tried |= !self.is_foreign(now);
    }

    /// Returns `true` if the last write of the claim on a class failed.
    pub(super) fn is_retried(&self, class: &ObjectKey) -> bool {
        self.retry.is_some() && self.observed.class() == Some(class)
    }

    /// Starts again, because this replica has become the leader.
    pub(super) fn restart(&mut self, now: Instant) {
        self.has_tried = false;
        self.retry = None;
        self.restart_expiry(now);
    }

    /// Restarts the age of the claim of another release. While this release could not reach the API
    /// server, another one may not have been able to renew its claim either, and must have time to
    /// do so.
    pub(super) fn restart_expiry(&mut self, now: Instant) {
        if !self.observed.holder().is_some_and(|holder| self.is_own(holder)) {
            self.observed.restart_holder(now);
            self.has_tried &= !self.is_foreign(now);
        }
    }
}

impl ClaimResult {
    /// Returns the result of a write of these annotations.
    pub(super) fn of(annotations: &Value, result: &WriteResult) -> Self {
        match result {
            WriteResult::Written(stored) if is_stored(annotations, stored.as_ref()) => Self::Stored,
            WriteResult::Written(_) => Self::Dropped,
            WriteResult::Conflict(_) => Self::Conflict,
            WriteResult::NotFound
            | WriteResult::Kept
            | WriteResult::Failed(_)
            | WriteResult::TimedOut => Self::Failed,
        }
    }
}

/// Returns `true` if the object of a response contains the annotations that were written.
fn is_stored(annotations: &Value, stored: Option<&Observed>) -> bool {
    let claims = match stored.map(|stored| &stored.content) {
        Some(Content::Whole { state, .. }) => state.claims.as_deref(),
        _ => None,
    };
    let holder = claims.and_then(|claims| claims.holder.as_deref());
    let contender = claims.and_then(|claims| claims.contender.as_deref());
    [(CLAIM_ANNOTATION, holder), (CONTENDER_ANNOTATION, contender)]
        .into_iter()
        .all(|(name, stored)| annotations[name].as_str().is_none_or(|claim| stored == Some(claim)))
}
