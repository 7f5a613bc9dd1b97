//! Gateways that were served until their GatewayClass was deleted.
//!
//! Without a class, no controller is responsible for such a Gateway. Its listeners are closed, so
//! its status must not report them as programmed any longer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conditions::ConditionBuilder;
use super::gateway_classes::Classes;
use super::gateways::EvaluatedGateway;
use super::index::Index;
use super::unmanaged::Unmanaged;
use crate::model::{ConditionType, Gateway, GatewayStatus, NamespacedName, Reason};

/// The Gateways that this controller serves or has served, with their uids.
pub(super) type ServedGateways = BTreeMap<NamespacedName, Option<Arc<str>>>;

/// Returns the Gateways that were served before and have no class any longer. A Gateway whose class
/// belongs to another controller is not among them: that controller writes its status.
pub(super) fn list<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    previous: &ServedGateways,
) -> Vec<(&'a NamespacedName, &'a Gateway)> {
    let gateways = previous.iter().filter_map(|(name, uid)| {
        let (name, gateway) = index.resources.gateways.get_key_value(name)?;
        (gateway.metadata.uid == *uid).then_some((name, &**gateway))
    });
    let has_no_class = |gateway: &Gateway| {
        matches!(classes.class_of(gateway, index), Err(Unmanaged::ClassNotFound { .. }))
    };
    gateways.filter(|(_, gateway)| has_no_class(gateway)).collect()
}

/// Returns the Gateways for the next translation.
pub(super) fn list_served(
    gateways: &[EvaluatedGateway<'_>],
    released: &[(&NamespacedName, &Gateway)],
) -> ServedGateways {
    let served = gateways.iter().map(|gateway| (gateway.name, gateway.gateway));
    let all = served.chain(released.iter().copied());
    all.map(|(name, gateway)| (name.clone(), gateway.metadata.uid.clone())).collect()
}

/// Builds the status of a Gateway without a class: that of a Gateway for which no controller has
/// taken responsibility yet.
pub(super) fn build_status(gateway: &Gateway) -> GatewayStatus {
    let conditions = ConditionBuilder { generation: gateway.metadata.generation };
    let class = &gateway.spec.gateway_class_name;
    let message = format!(
        "GatewayClass {class} does not exist, so the listeners of this Gateway are closed; create the class, or set spec.gatewayClassName to another one."
    );
    let condition =
        |condition_type| conditions.unknown(condition_type, Reason::PENDING, message.clone());
    GatewayStatus {
        addresses: Vec::new(),
        conditions: vec![condition(ConditionType::ACCEPTED), condition(ConditionType::PROGRAMMED)],
        listeners: Vec::new(),
    }
}
