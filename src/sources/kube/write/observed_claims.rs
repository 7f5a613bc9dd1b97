//! The claims on GatewayClasses, as this replica observes them.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::claim::{Claim, VALIDITY};
use crate::model::{GatewayClass, GatewayController, ObjectKey, ObjectKind, ObjectName};
use crate::sources::kube::cache::Cache;

/// Time after the last renewal of a claim during which its age can start again. A release that
/// never gets a response to its own claim must write one day.
const MAX_OUTAGE: Duration = Duration::from_secs(10 * VALIDITY.as_secs());

/// A claim, and its age, measured with the clock of this replica: clocks of other machines do not
/// matter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ObservedClaim {
    pub(super) claim: Claim,
    /// The time at which the last renewal was observed.
    renewed: Instant,
    /// The time from which the validity counts.
    since: Instant,
}

impl ObservedClaim {
    /// Returns the time at which the last renewal was observed.
    pub(super) fn renewed(&self) -> Instant {
        self.renewed
    }

    /// Returns the time at which the claim expires unless it is renewed.
    pub(super) fn until(&self) -> Instant {
        self.since + VALIDITY
    }
}

/// The claims on the GatewayClasses of a controller.
#[derive(Debug, Default)]
pub(super) struct ObservedClaims {
    class: Option<ObjectKey>,
    holder: Option<ObservedClaim>,
    is_holder_stored: bool,
    contender: Option<ObservedClaim>,
}

impl ObservedClaims {
    /// Reads the claims from the cache.
    pub(super) fn update(&mut self, cache: &Cache, controller: &GatewayController, now: Instant) {
        let classes = cache.resources().gateway_classes.values();
        let ours = classes.filter(|class| class.spec.controller_name == *controller);
        let oldest = ours.min_by(|one, other| age(one).cmp(&age(other)));
        self.class = oldest.map(|class| ObjectKey {
            kind: ObjectKind::GatewayClass,
            namespace: None,
            name: class.metadata.name.clone(),
        });
        let state = self.class.as_ref().and_then(|class| cache.state(class));
        let claims = state.and_then(|state| state.claims.as_deref());
        let parse = |annotation: Option<&String>| Claim::parse(annotation?);

        let holder = parse(claims.and_then(|claims| claims.holder.as_ref()));
        self.is_holder_stored = holder.is_some();
        if let Some(claim) = holder {
            observe(&mut self.holder, claim, now);
        }
        match parse(claims.and_then(|claims| claims.contender.as_ref())) {
            Some(claim) => observe(&mut self.contender, claim, now),
            None => self.contender = None,
        }
    }

    /// Restarts the age of the claim of the release that writes, unless its last renewal is too
    /// long ago.
    pub(super) fn restart_holder(&mut self, now: Instant) {
        let holder = self.holder.as_mut();
        if let Some(holder) = holder.filter(|holder| now < holder.renewed + MAX_OUTAGE) {
            holder.since = now;
        }
    }

    /// Returns the oldest class. Its claim decides, so that one release holds all classes.
    pub(super) fn class(&self) -> Option<&ObjectKey> {
        self.class.as_ref()
    }

    /// Returns the claim of the release that writes. It is valid until it expires, also if its
    /// annotation or its class is deleted before.
    pub(super) fn holder(&self) -> Option<&ObservedClaim> {
        self.holder.as_ref()
    }

    /// Returns the same claim if the oldest class contains it.
    pub(super) fn stored_holder(&self) -> Option<&ObservedClaim> {
        self.holder().filter(|_| self.is_holder_stored)
    }

    /// Returns the claim of the last other release that has the same controller name.
    pub(super) fn contender(&self) -> Option<&ObservedClaim> {
        self.contender.as_ref()
    }
}

fn observe(known: &mut Option<ObservedClaim>, claim: Claim, now: Instant) {
    if known.as_ref().is_none_or(|known| known.claim != claim) {
        *known = Some(ObservedClaim { claim, renewed: now, since: now });
    }
}

/// Returns the order of a class by age. An object without a timestamp counts as the youngest.
fn age(class: &GatewayClass) -> (bool, Option<Timestamp>, &ObjectName) {
    let created = class.metadata.creation_timestamp;
    (created.is_none(), created, &class.metadata.name)
}
