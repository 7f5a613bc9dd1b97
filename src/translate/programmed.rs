//! The one part of the status that objects alone do not decide: Programmed, and the addresses.
//!
//! Whether a listener could be opened is known only where it is tried. This pass adds what follows
//! from that; it can be repeated with new findings.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::StatusReport;
use super::say::Sayer;
use crate::model::{
    Condition, ConditionStatus, ConditionType, GatewayAddressType, GatewayStatus,
    GatewayStatusAddress, ListenerStatus, NamespacedName, Reason, SectionName, condition,
};
use crate::plan::{BindCause, BindFailure, ListenAddress, ListenerId, Plan};

/// The most addresses that a status may hold.
const MAX_ADDRESSES: usize = 16;

pub(super) fn program(
    status: &mut StatusReport,
    plan: &Plan,
    failures: &BTreeMap<ListenerId, Vec<BindFailure>>,
) {
    for (name, gateway) in &mut status.gateways {
        program_gateway(name, gateway, plan, failures);
    }
}

fn program_gateway(
    name: &NamespacedName,
    gateway: &mut GatewayStatus,
    plan: &Plan,
    failures: &BTreeMap<ListenerId, Vec<BindFailure>>,
) {
    let say = Sayer {
        generation: gateway.conditions.first().and_then(|condition| condition.observed_generation),
    };
    let mut opened = Vec::new();
    let mut failed = Vec::new();
    let mut planned = 0;
    for listener in &mut gateway.listeners {
        let id = ListenerId { gateway: name.clone(), listener: listener.name.clone() };
        let failures = failures.get(&id).map_or(&[][..], Vec::as_slice);
        let programmed = match plan
            .listeners
            .get(&id)
            .filter(|_| is_true(&listener.conditions, &ConditionType::ACCEPTED))
        {
            None => not_planned(&say, listener),
            Some(listener_plan) => {
                planned += 1;
                opened.extend(listener_plan.addresses.iter().filter(|address| {
                    failures.iter().all(|failure| failure.address != address.bind)
                }));
                failed.extend(failures.iter().map(|failure| (id.listener.clone(), failure)));
                listener_programmed(&say, &listener_plan.addresses, failures)
            }
        };
        set(&mut listener.conditions, programmed);
    }
    gateway.addresses = addresses(&opened, &failed);
    let programmed = if !is_true(&gateway.conditions, &ConditionType::ACCEPTED) {
        say.no(ConditionType::PROGRAMMED, Reason::INVALID, "The Gateway is not accepted.")
    } else if let Some((_, failure)) =
        failed.iter().find(|(_, failure)| failure.cause == BindCause::AddressNotUsable)
    {
        say.no(
            ConditionType::PROGRAMMED,
            Reason::ADDRESS_NOT_USABLE,
            format!("Address {} cannot be used: {}.", failure.address.ip(), failure.message),
        )
    } else if planned > 0 && opened.is_empty() {
        say.no(ConditionType::PROGRAMMED, Reason::NO_RESOURCES, describe_failed(&failed))
    } else if failed.is_empty() {
        say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, "All valid listeners are open.")
    } else {
        say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, describe_failed(&failed))
    };
    set(&mut gateway.conditions, programmed);
}

/// A listener that is not in the plan is not opened; where it is refused, the reason is the same.
fn not_planned(say: &Sayer, listener: &ListenerStatus) -> Condition {
    match condition(&listener.conditions, &ConditionType::ACCEPTED) {
        Some(accepted) if accepted.status != ConditionStatus::True => {
            let shared = [Reason::PROTOCOL_CONFLICT, Reason::PORT_UNAVAILABLE];
            let reason = if shared.contains(&accepted.reason) {
                accepted.reason.clone()
            } else {
                Reason::INVALID
            };
            say.no(ConditionType::PROGRAMMED, reason, "The listener is not accepted.")
        }
        _ => say.no(ConditionType::PROGRAMMED, Reason::INVALID, "The Gateway is not accepted."),
    }
}

fn listener_programmed(
    say: &Sayer,
    addresses: &[ListenAddress],
    failures: &[BindFailure],
) -> Condition {
    let Some(first) = failures.first() else {
        return say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, "The listener is open.");
    };
    let describe = |failure: &BindFailure| {
        format!("{} cannot be opened: {}", failure.address, failure.message)
    };
    let message =
        failures.iter().map(describe).collect::<Vec<_>>().join("; ") + ". It is tried again.";
    let is_open =
        |address: &ListenAddress| failures.iter().all(|failure| failure.address != address.bind);
    if addresses.iter().any(is_open) {
        return say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, message);
    }
    let reason = match first.cause {
        BindCause::PortUnavailable => Reason::PORT_UNAVAILABLE,
        BindCause::AddressNotUsable => Reason::INVALID,
        BindCause::NoResources => Reason::PENDING,
    };
    say.no(ConditionType::PROGRAMMED, reason, message)
}

fn describe_failed(failed: &[(SectionName, &BindFailure)]) -> String {
    let one = |(listener, failure): &(SectionName, &BindFailure)| {
        format!("listener {listener} ({})", failure.message)
    };
    format!("Not open: {}.", failed.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// The addresses on which something is open, without those that are not the host's.
fn addresses(
    opened: &[&ListenAddress],
    failed: &[(SectionName, &BindFailure)],
) -> Vec<GatewayStatusAddress> {
    let unusable = |ip: IpAddr| {
        failed.iter().any(|(_, failure)| {
            failure.cause == BindCause::AddressNotUsable && failure.address.ip() == ip
        })
    };
    let mut dialled = Vec::new();
    for address in opened {
        if !dialled.contains(&address.dial.ip()) && !unusable(address.bind.ip()) {
            dialled.push(address.dial.ip());
        }
    }
    dialled
        .into_iter()
        .take(MAX_ADDRESSES)
        .map(|ip| GatewayStatusAddress {
            address_type: GatewayAddressType::IpAddress,
            value: ip.to_string(),
        })
        .collect()
}

fn is_true(conditions: &[Condition], condition_type: &ConditionType) -> bool {
    condition(conditions, condition_type).is_some_and(|found| found.status == ConditionStatus::True)
}

/// Puts a condition in the place of the one of its type.
fn set(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|existing| existing.condition_type == condition.condition_type)
    {
        Some(existing) => *existing = condition,
        None => conditions.push(condition),
    }
}
