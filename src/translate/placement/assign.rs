//! The placement of every Gateway, by the setting.

use super::report::{AddressError, NotBoundReason};
use super::types::{AddressRequest, Placement};
use super::{host, pool, service};
use crate::model::ServiceRequests;
use crate::translate::assignments::Assignments;
use crate::translate::index::Index;
use crate::translate::refusal::GatewayRefusal;
use crate::translate::settings::{Addresses, Settings};

/// The placement of every Gateway, and the assignments that follow from it.
#[derive(Debug)]
pub(in crate::translate) struct Placements {
    /// In the order of the requests; a Gateway that is refused has none.
    pub(in crate::translate) gateways: Vec<Result<Placement, GatewayRefusal>>,
    pub(in crate::translate) assignments: Assignments,
    /// The Services that the Gateways need.
    pub(in crate::translate) services: ServiceRequests,
}

/// Places every Gateway. Earlier requests have precedence.
pub(in crate::translate) fn assign(
    index: &Index<'_>,
    settings: &Settings,
    previous: &Assignments,
    requests: Vec<Result<AddressRequest<'_>, GatewayRefusal>>,
) -> Placements {
    let accepted: Vec<_> = requests.iter().flatten().collect();
    let (placements, assignments) = match &settings.addresses {
        Addresses::Host => (host::place_all(&settings.host, &accepted), Assignments::default()),
        Addresses::Pool(ranges) => pool::assign(ranges, previous, &accepted),
        Addresses::Service(namespace) => {
            service::assign(index, namespace, settings.host.bind, previous, &accepted)
        }
    };
    let services = service::list_requests(&assignments.pod_ports, &accepted);
    let placements = placements.into_iter().zip(&accepted).map(|(mut placement, request)| {
        if !request.denied.is_empty() {
            placement.report.error = Some(AddressError::SpecialAddresses(request.denied.clone()));
            placement.report.not_bound_reason = NotBoundReason::SpecialAddress;
        }
        placement
    });
    let mut placements = placements.collect::<Vec<_>>().into_iter();
    let gateways = requests
        .into_iter()
        .map(|request| request.map(|_| placements.next().expect("one for each accepted request")))
        .collect();
    Placements { gateways, assignments, services }
}
