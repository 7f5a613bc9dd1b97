//! The one part of the status that objects alone do not decide: Programmed, and the addresses.
//!
//! Whether a listener could be opened is known only where it is tried. This pass adds what follows
//! from that; it can be repeated with new findings.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::addresses::Remarks;
use super::say::Sayer;
use crate::model::StatusReport;
use crate::model::{
    Condition, ConditionStatus, ConditionType, GatewayAddressType, GatewayStatus,
    GatewayStatusAddress, ListenerStatus, NamespacedName, Reason, SectionName, find_condition,
};
use crate::plan::{BindError, BindErrorKind, DialAddress, ListenAddress, ListenerId, Plan};

/// The most addresses that a status may hold.
const MAX_ADDRESSES: usize = 16;

pub(super) fn program(
    status: &mut StatusReport,
    plan: &Plan,
    remarks: &BTreeMap<NamespacedName, Remarks>,
    failures: &BTreeMap<ListenerId, Vec<BindError>>,
) {
    let nothing = Remarks::default();
    for (name, gateway) in &mut status.gateways {
        program_gateway(name, gateway, plan, remarks.get(name).unwrap_or(&nothing), failures);
    }
}

fn program_gateway(
    name: &NamespacedName,
    gateway: &mut GatewayStatus,
    plan: &Plan,
    remarks: &Remarks,
    failures: &BTreeMap<ListenerId, Vec<BindError>>,
) {
    let say = Sayer {
        generation: gateway.conditions.first().and_then(|condition| condition.observed_generation),
    };
    let is_accepted = is_true(&gateway.conditions, &ConditionType::ACCEPTED);
    let mut opened = Vec::new();
    let mut failed = Vec::new();
    let mut pending = Vec::new();
    for listener in &mut gateway.listeners {
        let id = ListenerId { gateway: name.clone(), listener: listener.name.clone() };
        let failures = failures.get(&id).map_or(&[][..], Vec::as_slice);
        let programmed = match plan
            .listeners
            .get(&id)
            .filter(|_| is_true(&listener.conditions, &ConditionType::ACCEPTED))
        {
            None if is_accepted && is_true(&listener.conditions, &ConditionType::ACCEPTED) => {
                pending.push(&listener.name);
                let message = format!("Not open: {}.", remarks.pending);
                say.no(ConditionType::PROGRAMMED, Reason::PENDING, message)
            }
            None => not_planned(&say, listener),
            Some(listener_plan) => {
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
    let programmed = if !is_accepted {
        say.no(ConditionType::PROGRAMMED, Reason::INVALID, "The Gateway is not accepted.")
    } else if let Some((_, failure)) =
        failed.iter().find(|(_, failure)| failure.kind == BindErrorKind::AddressNotUsable)
    {
        say.no(
            ConditionType::PROGRAMMED,
            Reason::ADDRESS_NOT_USABLE,
            format!("Address {} cannot be used: {}.", failure.address.ip(), failure.message),
        )
    } else if let Some(lack) = &remarks.lack {
        say.no(ConditionType::PROGRAMMED, lack.reason.clone(), lack.message.clone())
    } else if opened.is_empty() && !failed.is_empty() {
        say.no(
            ConditionType::PROGRAMMED,
            Reason::NO_RESOURCES,
            not_open(&failed, &pending, remarks),
        )
    } else {
        let mut message = if failed.is_empty() && pending.is_empty() {
            Cow::Borrowed("All valid listeners are open.")
        } else {
            not_open(&failed, &pending, remarks).into()
        };
        if !remarks.note.is_empty() {
            message = format!("{message} {}", remarks.note).into();
        }
        say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, message)
    };
    set(&mut gateway.conditions, programmed);
}

/// A listener that is not in the plan is not opened; where it is refused, the reason is the same.
fn not_planned(say: &Sayer, listener: &ListenerStatus) -> Condition {
    match find_condition(&listener.conditions, &ConditionType::ACCEPTED) {
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
    failures: &[BindError],
) -> Condition {
    let Some(first) = failures.first() else {
        return say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, "The listener is open.");
    };
    let describe =
        |failure: &BindError| format!("{} cannot be opened: {}", failure.address, failure.message);
    let message =
        failures.iter().map(describe).collect::<Vec<_>>().join("; ") + ". It is tried again.";
    let is_open =
        |address: &ListenAddress| failures.iter().all(|failure| failure.address != address.bind);
    if addresses.iter().any(is_open) {
        return say.yes(ConditionType::PROGRAMMED, Reason::PROGRAMMED, message);
    }
    let reason = match first.kind {
        BindErrorKind::PortUnavailable => Reason::PORT_UNAVAILABLE,
        BindErrorKind::AddressNotUsable => Reason::INVALID,
        BindErrorKind::NoResources => Reason::PENDING,
    };
    say.no(ConditionType::PROGRAMMED, reason, message)
}

fn not_open(
    failed: &[(SectionName, &BindError)],
    pending: &[&SectionName],
    remarks: &Remarks,
) -> String {
    let failed = failed
        .iter()
        .map(|(listener, failure)| format!("listener {listener} ({})", failure.message));
    let pending =
        pending.iter().map(|listener| format!("listener {listener} ({})", remarks.pending));
    format!("Not open: {}.", failed.chain(pending).collect::<Vec<_>>().join(", "))
}

/// The addresses on which something is open, without those that are not the host's.
fn addresses(
    opened: &[&ListenAddress],
    failed: &[(SectionName, &BindError)],
) -> Vec<GatewayStatusAddress> {
    let unusable = |ip: IpAddr| {
        failed.iter().any(|(_, failure)| {
            failure.kind == BindErrorKind::AddressNotUsable && failure.address.ip() == ip
        })
    };
    let mut dialled = Vec::new();
    for address in opened.iter().filter(|address| !unusable(address.bind.ip())) {
        let (address_type, value) = match &address.advertised {
            Some(DialAddress::Ip(dial)) => (GatewayAddressType::IpAddress, dial.ip().to_string()),
            Some(DialAddress::Name(name, _)) => (GatewayAddressType::Hostname, name.to_string()),
            None => continue,
        };
        let address = GatewayStatusAddress { address_type, value };
        if !dialled.contains(&address) {
            dialled.push(address);
        }
    }
    dialled.truncate(MAX_ADDRESSES);
    dialled
}

fn is_true(conditions: &[Condition], condition_type: &ConditionType) -> bool {
    find_condition(conditions, condition_type)
        .is_some_and(|found| found.status == ConditionStatus::True)
}

/// Puts a condition in the place of the one of its type.
fn set(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|existing| existing.condition_type == condition.condition_type)
    {
        Some(existing) => *existing = condition,
        None => conditions.push(condition),
    }
}
