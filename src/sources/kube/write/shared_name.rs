//! Reports that another release has the controller name: a condition of the classes, and the log.

use tokio::time::Instant;

use super::release_claims::{ReleaseClaims, Standing};
use crate::model::{Condition, ConditionStatus, ConditionType, Reason};

/// The state that was last reported about another release with the controller name.
#[derive(Debug, Default)]
pub(super) struct SharedName {
    /// The condition of the classes.
    condition: Option<Condition>,
    /// The other release that was last logged, and `true` if it held the claim.
    logged: Option<(String, bool)>,
}

impl SharedName {
    pub(super) fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    /// Compares the claims with those that were last reported, and logs a change. Returns `true` if
    /// the condition of the classes changes.
    pub(super) fn update(&mut self, claims: &ReleaseClaims, now: Instant) -> bool {
        self.log(claims, now);
        let condition = condition(claims, now);
        let is_changed = condition != self.condition;
        self.condition = condition;
        is_changed
    }

    /// Logs that another release with the controller name has appeared or is gone.
    fn log(&mut self, claims: &ReleaseClaims, now: Instant) {
        let other = match claims.standing(now) {
            Standing::Foreign(holder) => Some((holder.claim.lease.clone(), true)),
            Standing::Held => claims.contender(now).map(|other| (other.claim.lease.clone(), false)),
            Standing::Free => None,
        };
        if other == self.logged {
            return;
        }
        let controller = claims.controller();
        match &other {
            Some((lease, true)) => tracing::warn!(
                %controller,
                "another release claims the GatewayClasses of this controller name: the one with \
                 the Lease {lease}. This release writes no status and no Services until that claim \
                 expires; give each release a controllerName and a GatewayClass of its own, or \
                 uninstall one after its Gateways have a GatewayClass of the other"
            ),
            Some((lease, false)) => tracing::warn!(
                %controller,
                "another release has this controller name: the one with the Lease {lease}. It \
                 writes no status and no Services, because this release does; give each release a \
                 controllerName and a GatewayClass of its own, or uninstall one after its Gateways have \
                 a GatewayClass of the other"
            ),
            None => tracing::info!(
                %controller,
                "no other release claims the GatewayClasses of this controller name any longer"
            ),
        }
        self.logged = other;
    }
}

/// Returns the condition of the classes while another release has the controller name.
fn condition(claims: &ReleaseClaims, now: Instant) -> Option<Condition> {
    let (contender, lease) = (claims.contender(now)?, claims.lease()?);
    let message = format!(
        "Two releases have the controller name {}: the release with the Lease {lease} writes status \
         and Services, and the release with the Lease {} writes neither. Give each release a \
         controllerName and a GatewayClass of its own, or uninstall one after its Gateways have a \
         GatewayClass of the other.",
        claims.controller(),
        contender.claim.lease
    );
    let (condition_type, reason) =
        (ConditionType::CONTROLLER_NAME_SHARED, Reason::new("OtherRelease"));
    Some(Condition::new(condition_type, ConditionStatus::True, reason, message, None))
}
