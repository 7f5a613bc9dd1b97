//! The part of a Gateway's status that depends on which listeners could be opened: the Programmed
//! conditions and the addresses.
//!
//! Only the forwarder knows which listeners it could open. [`GatewayFindings`] keeps what this
//! module needs, so that the conditions can be computed again when the bind errors change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::conditions::ConditionBuilder;
use super::enumerate::{list, sentences};
use super::gateways::EvaluatedGateway;
use super::listeners::EvaluatedListener;
use super::placement::AddressReport;
use super::refusal::ListenerRefusal;
use crate::model::{
    Caveat, Condition, ConditionType, GatewayAddressType, GatewayStatus, GatewayStatusAddress,
    Reason, SectionName,
};
use crate::plan::{BindError, BindErrorKind, DialAddress, ListenAddress, ListenerId, Plan};

/// The maximum number of addresses in a status.
const MAX_ADDRESSES: usize = 16;

/// The findings about a Gateway on which its Programmed conditions depend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GatewayFindings {
    generation: Option<i64>,
    /// The report on the addresses; `None` if the Gateway is not accepted.
    addresses: Option<AddressReport>,
    /// The listeners, in the order of the Gateway.
    listeners: Vec<ListenerFindings>,
}

/// The findings about a listener on which its Programmed condition depends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ListenerFindings {
    id: ListenerId,
    /// The reason of the `Programmed: False` condition if the listener is not accepted.
    refusal: Option<Reason>,
}

impl GatewayFindings {
    pub(super) fn new(gateway: EvaluatedGateway<'_>) -> Self {
        let findings = |listener: &EvaluatedListener<'_>| ListenerFindings {
            id: ListenerId::new(gateway.name.clone(), listener.listener.name.clone()),
            refusal: listener.refusal.as_ref().map(ListenerRefusal::programmed_reason),
        };
        Self {
            generation: gateway.gateway.metadata.generation,
            listeners: gateway.listeners.iter().map(findings).collect(),
            addresses: gateway.placement.ok().map(|placement| placement.report),
        }
    }

    /// Returns `false` if all listeners are refused; the Gateway is not accepted then.
    fn has_valid_listeners(&self) -> bool {
        let mut listeners = self.listeners.iter();
        self.listeners.is_empty() || listeners.any(|listener| listener.refusal.is_none())
    }
}

/// The results of opening a Gateway's listeners: open addresses, bind errors, and listeners without
/// an address to bind.
#[derive(Default)]
struct OpenResults<'a> {
    open: Vec<&'a ListenAddress>,
    failed: Vec<(&'a SectionName, &'a BindError)>,
    /// The listeners that have no address to bind yet.
    pending: Vec<&'a SectionName>,
}

/// Sets the Programmed conditions and the addresses of a Gateway's status.
pub(super) fn set_programmed(
    status: &mut GatewayStatus,
    findings: &GatewayFindings,
    plan: &Plan,
    bind_errors: &BTreeMap<ListenerId, Vec<BindError>>,
) {
    let conditions = ConditionBuilder { generation: findings.generation };
    let mut results = OpenResults::default();
    for (listener, listener_status) in findings.listeners.iter().zip(&mut status.listeners) {
        let errors = bind_errors.get(&listener.id).map_or(&[][..], Vec::as_slice);
        let report = findings.addresses.as_ref();
        let programmed =
            build_listener_programmed(&conditions, listener, report, plan, errors, &mut results);
        set_condition(&mut listener_status.conditions, programmed);
    }
    status.addresses = list_addresses(&results);
    let report = findings.addresses.as_ref().filter(|_| findings.has_valid_listeners());
    let programmed = build_gateway_programmed(&conditions, report, &results);
    set_condition(&mut status.conditions, programmed);
}

/// Builds the Programmed condition of a listener, and adds its addresses to the results.
fn build_listener_programmed<'a>(
    conditions: &ConditionBuilder,
    listener: &'a ListenerFindings,
    report: Option<&AddressReport>,
    plan: &'a Plan,
    errors: &'a [BindError],
    results: &mut OpenResults<'a>,
) -> Condition {
    let programmed = ConditionType::PROGRAMMED;
    if let Some(reason) = &listener.refusal {
        return conditions.false_(
            programmed,
            reason.clone(),
            "The listener is not accepted; see its Accepted condition.",
        );
    }
    let Some(report) = report else {
        return conditions.false_(
            programmed,
            Reason::INVALID,
            "The Gateway is not accepted; see its Accepted condition.",
        );
    };
    let Some(listener_plan) = plan.listeners.get(&listener.id) else {
        results.pending.push(&listener.id.listener);
        let message = format!("Not open: {}.", report.not_bound_reason);
        return conditions.false_(programmed, Reason::PENDING, message);
    };
    let open = listener_plan.addresses.iter().filter(|address| address.is_open(errors));
    let open_before = results.open.len();
    results.open.extend(open);
    results.failed.extend(errors.iter().map(|error| (&listener.id.listener, error)));
    let Some(first) = errors.first() else {
        return conditions.true_(programmed, Reason::PROGRAMMED, "The listener is open.");
    };
    let message = describe_errors(errors);
    if results.open.len() > open_before {
        let caveat = Some(Caveat::PartlyOpen);
        return conditions.true_with(programmed, Reason::PROGRAMMED, message, caveat);
    }
    let reason = match first.kind {
        BindErrorKind::PortUnavailable => Reason::PORT_UNAVAILABLE,
        BindErrorKind::AddressNotUsable => Reason::INVALID,
        BindErrorKind::NoResources => Reason::PENDING,
    };
    conditions.false_(programmed, reason, message)
}

fn describe_errors(errors: &[BindError]) -> String {
    let describe = |error: &BindError| format!("{} ({})", error.socket.address, error.message);
    format!("Cannot open {}. Retrying.", list(errors.iter().map(describe)))
}

fn build_gateway_programmed(
    conditions: &ConditionBuilder,
    report: Option<&AddressReport>,
    results: &OpenResults<'_>,
) -> Condition {
    let programmed = ConditionType::PROGRAMMED;
    let OpenResults { open, failed, pending } = results;
    let Some(report) = report else {
        return conditions.false_(
            programmed,
            Reason::INVALID,
            "The Gateway is not accepted; see its Accepted condition.",
        );
    };
    let not_usable = failed.iter().find(|(_, error)| error.kind == BindErrorKind::AddressNotUsable);
    if let Some((_, error)) = not_usable {
        let message = format!(
            "Cannot use address {}: {}. Add it to an interface of this host, or request another one.",
            error.socket.address.ip(),
            error.message
        );
        return conditions.false_(programmed, Reason::ADDRESS_NOT_USABLE, message);
    }
    if let Some(error) = &report.error {
        return conditions.false_(programmed, error.reason(), error.to_string());
    }
    if open.is_empty() && !failed.is_empty() {
        let message = describe_not_open(results, report);
        // Gateway API has no Gateway reason for ports in use; NoResources is the nearest one.
        return conditions.false_(programmed, Reason::NO_RESOURCES, message);
    }
    let is_complete = failed.is_empty() && pending.is_empty();
    let mut message = match is_complete {
        true => Cow::Borrowed("All valid listeners are open."),
        false => describe_not_open(results, report).into(),
    };
    if !report.port_mappings.is_empty() {
        message = format!("{message} {}", sentences(&report.port_mappings)).into();
    }
    let caveat = match is_complete {
        true => (!report.port_mappings.is_empty()).then_some(Caveat::PortDiffers),
        false => Some(Caveat::PartlyOpen),
    };
    conditions.true_with(programmed, Reason::PROGRAMMED, message, caveat)
}

fn describe_not_open(results: &OpenResults<'_>, report: &AddressReport) -> String {
    let failed = results
        .failed
        .iter()
        .map(|(listener, error)| format!("listener {listener} ({})", error.message));
    let pending = results
        .pending
        .iter()
        .map(|listener| format!("listener {listener} ({})", report.not_bound_reason));
    format!("Not open: {}.", list(failed.chain(pending)))
}

/// Returns the advertised addresses of open listeners, except those whose bind address the host
/// does not have.
fn list_addresses(results: &OpenResults<'_>) -> Vec<GatewayStatusAddress> {
    let is_usable = |ip: IpAddr| {
        results.failed.iter().all(|(_, error)| {
            error.kind != BindErrorKind::AddressNotUsable || error.socket.address.ip() != ip
        })
    };
    let mut addresses = Vec::new();
    for address in results.open.iter().filter(|address| is_usable(address.bind.address.ip())) {
        let (address_type, value) = match &address.advertised {
            Some(DialAddress::Ip(address)) => {
                (GatewayAddressType::IpAddress, address.ip().to_string())
            }
            Some(DialAddress::Name(name, _)) => (GatewayAddressType::Hostname, name.to_string()),
            None => continue,
        };
        let address = GatewayStatusAddress { address_type, value };
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.truncate(MAX_ADDRESSES);
    addresses
}

/// Adds a condition, or replaces the one of its type.
fn set_condition(conditions: &mut Vec<Condition>, condition: Condition) {
    let condition_type = &condition.condition_type;
    match conditions.iter_mut().find(|existing| existing.condition_type == *condition_type) {
        Some(existing) => *existing = condition,
        None => conditions.push(condition),
    }
}
