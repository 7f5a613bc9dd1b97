//! The Gateways of this controller: their listeners, placements and port conflicts.

use std::collections::HashMap;

use super::assignments::Assignments;
use super::gateway_classes::Classes;
use super::index::Index;
use super::listener_quota::ListenerQuota;
use super::listeners::{self, EvaluatedListener};
use super::placement::{
    self, AddressRequest, Placement, Placements, RequestedAddresses, parse_requested_addresses,
};
use super::port_conflicts::PortClaims;
use super::precedence::Precedence;
use super::refusal::GatewayRefusal;
use super::settings::Settings;
use crate::model::{Gateway, GatewayClass, NamespacedName, SectionName, ServiceRequests};

/// A Gateway of this controller, with the findings about it.
#[derive(Debug)]
pub(super) struct EvaluatedGateway<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) gateway: &'a Gateway,
    pub(super) class: &'a GatewayClass,
    /// The addresses of the Gateway, or the reason why it is not accepted.
    pub(super) placement: Result<Placement, GatewayRefusal>,
    pub(super) listeners: Vec<EvaluatedListener<'a>>,
    /// The indices of the listeners that a `sectionName` selects; without one, all listeners.
    pub(super) sections: HashMap<Option<&'a SectionName>, Vec<usize>>,
}

/// The Gateways of this controller, and what they are assigned.
pub(super) struct EvaluatedGateways<'a> {
    /// In the order of their names.
    pub(super) gateways: Vec<EvaluatedGateway<'a>>,
    pub(super) assignments: Assignments,
    /// The Services that the Gateways need.
    pub(super) services: ServiceRequests,
}

/// Evaluates every Gateway of this controller. The oldest come first, since a port belongs to the
/// first Gateway that claims it.
pub(super) fn evaluate<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    settings: &Settings,
    previous: &Assignments,
) -> EvaluatedGateways<'a> {
    let mut gateways: Vec<_> = index
        .resources
        .gateways
        .iter()
        .filter_map(|(name, gateway)| {
            let class = classes.class_of(gateway, index).ok()?;
            Some((name, &**gateway, class))
        })
        .collect();
    gateways.sort_by_cached_key(|(name, gateway, _)| Precedence::of(name, &gateway.metadata));

    let mut listeners: Vec<_> =
        gateways.iter().map(|(_, gateway, _)| listeners::evaluate(gateway)).collect();
    let mut quota = ListenerQuota::new(settings.listeners_per_namespace);
    let requests = gateways.iter().zip(&mut listeners).map(|((name, gateway, _), listeners)| {
        check_parameters(gateway)?;
        let RequestedAddresses { allowed, denied } =
            parse_requested_addresses(gateway, &settings.special_addresses)?;
        quota.apply(&name.namespace, listeners);
        let valid = listeners.iter().filter(|listener| listener.refusal.is_none());
        let ports = valid.map(|listener| listener.listener.port).collect();
        Ok(AddressRequest { name, gateway, addresses: allowed, denied, ports })
    });
    let Placements { gateways: placements, assignments, services } =
        placement::assign(index, settings, previous, requests.collect());

    let mut claims = PortClaims::default();
    let mut evaluated: Vec<_> = gateways
        .into_iter()
        .zip(listeners)
        .zip(placements)
        .map(|(((name, gateway, class), mut listeners), placement)| {
            if let Ok(placement) = &placement {
                claims.claim(name, placement, &mut listeners);
            }
            let sections = index_sections(gateway);
            EvaluatedGateway { name, gateway, class, placement, listeners, sections }
        })
        .collect();
    evaluated.sort_unstable_by_key(|gateway| gateway.name);
    EvaluatedGateways { gateways: evaluated, assignments, services }
}

fn check_parameters(gateway: &Gateway) -> Result<(), GatewayRefusal> {
    let infrastructure = gateway.spec.infrastructure.as_ref();
    match infrastructure.and_then(|infrastructure| infrastructure.parameters_ref.as_ref()) {
        Some(parameters) => Err(GatewayRefusal::Parameters(parameters.clone())),
        None => Ok(()),
    }
}

fn index_sections(gateway: &Gateway) -> HashMap<Option<&SectionName>, Vec<usize>> {
    let mut sections = HashMap::<_, Vec<_>>::new();
    for (index, listener) in gateway.spec.listeners.iter().enumerate() {
        for section in [None, Some(&listener.name)] {
            sections.entry(section).or_default().push(index);
        }
    }
    sections
}
