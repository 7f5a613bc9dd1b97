//! The claims on GatewayClasses, as this replica observes them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::claim::Claim;
use crate::model::{GatewayController, ObjectKey, ObjectKind};
use crate::sources::kube::cache::Cache;
use crate::sources::kube::observed::ClassClaims;

/// A claim, and the time at which its last renewal was observed, from which its age is measured
/// with the clock of this replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObservedClaim {
    pub(super) claim: Claim,
    pub(super) since: Instant,
}

impl ObservedClaim {
    /// Returns the time at which the claim expires unless it is renewed.
    pub(super) fn until(&self) -> Instant {
        self.since + Duration::from_secs(self.claim.validity_seconds.into())
    }

    fn update(known: Option<Self>, annotation: Option<&str>, now: Instant) -> Option<Self> {
        let claim = Claim::parse(annotation?)?;
        Some(known.filter(|known| known.claim == claim).unwrap_or(Self { claim, since: now }))
    }
}

/// The claims on one GatewayClass.
#[derive(Debug, Default)]
pub(super) struct ClassState {
    /// The claim of the release that writes.
    pub(super) holder: Option<ObservedClaim>,
    /// The last other release that has the same controller name.
    pub(super) contender: Option<ObservedClaim>,
}

/// The claims on the GatewayClasses of a controller.
#[derive(Debug, Default)]
pub(super) struct ObservedClaims {
    classes: BTreeMap<ObjectKey, ClassState>,
    /// The oldest class. Its claim decides, so that one release holds all classes.
    first: Option<ObjectKey>,
}

impl ObservedClaims {
    /// Reads the claims from the cache.
    pub(super) fn update(&mut self, cache: &Cache, controller: &GatewayController, now: Instant) {
        let classes = cache.resources().gateway_classes.values();
        let ours = classes.filter(|class| class.spec.controller_name == *controller);
        let mut known = std::mem::take(&mut self.classes);
        let mut first = None;
        for class in ours {
            let name = class.metadata.name.clone();
            let key = ObjectKey { kind: ObjectKind::GatewayClass, namespace: None, name };
            let ClassState { holder, contender } = known.remove(&key).unwrap_or_default();
            let claims = cache.state(&key).and_then(|state| state.claims.as_deref());
            let annotation = |read: fn(&ClassClaims) -> Option<&str>| claims.and_then(read);
            let state = ClassState {
                holder: ObservedClaim::update(holder, annotation(|all| all.holder.as_deref()), now),
                contender: ObservedClaim::update(
                    contender,
                    annotation(|all| all.contender.as_deref()),
                    now,
                ),
            };
            // An object without a timestamp counts as the youngest.
            let created = class.metadata.creation_timestamp;
            let age = (created.is_none(), created, key.clone());
            if first.as_ref().is_none_or(|first| age < *first) {
                first = Some(age);
            }
            self.classes.insert(key, state);
        }
        self.first = first.map(|(_, _, key)| key);
    }

    /// Restarts the age of the claims that match.
    pub(super) fn restart(&mut self, now: Instant, matches: impl Fn(&Claim) -> bool) {
        let holders = self.classes.values_mut().filter_map(|state| state.holder.as_mut());
        holders.filter(|holder| matches(&holder.claim)).for_each(|holder| holder.since = now);
    }

    /// Returns the claims on a class; `None` if another controller serves the class.
    pub(super) fn get(&self, class: &ObjectKey) -> Option<&ClassState> {
        self.classes.get(class)
    }

    /// Returns the class whose claim decides, and the claims on it.
    pub(super) fn first(&self) -> Option<(&ObjectKey, &ClassState)> {
        self.classes.get_key_value(self.first.as_ref()?)
    }
}
