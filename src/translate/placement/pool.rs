//! Placement in a pool: each Gateway has addresses of its own.
//!
//! Requests are served in three rounds, each in the order of precedence:
//!
//! 1. a Gateway keeps the addresses it has;
//! 2. a Gateway that requests an address by its value gets it, unless another Gateway has it;
//! 3. a Gateway that requests any address gets the first free one, probing from the hash of its
//!    name.
//!
//! So an address stays with its Gateway over changes and restarts, and two processes without shared
//! state mostly choose the same addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::report::{AddressError, AddressReport, NotBoundReason, PoolError, UnusableAddress};
use super::types::{Address, AddressRequest, BindTargets, Placement};
use crate::model::{GatewayAddressType, NamespacedName, stable_hash};
use crate::translate::assignments::Assignments;
use crate::translate::holder::Holder;
use crate::translate::ranges::Ranges;

/// Result of one address request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allocation<'a> {
    Assigned(IpAddr),
    /// The requested address is not in the pool.
    NotInPool(IpAddr),
    /// Another Gateway has the requested address.
    InUse(IpAddr, &'a NamespacedName),
    /// The request is for any address, and all addresses are in use or cool down.
    PoolExhausted,
}

/// The Gateway of each assigned address.
type Holders<'a> = BTreeMap<IpAddr, &'a NamespacedName>;

/// Assigns addresses of the pool.
pub(super) fn assign(
    ranges: &Ranges,
    previous: &Assignments,
    requests: &[&AddressRequest<'_>],
) -> (Vec<Placement>, Assignments) {
    let mut holders = Holders::new();
    let allocations = allocate(ranges, previous, requests, &mut holders);
    let mut assignments = Assignments {
        cooling_down: list_cooling_down(previous, &holders),
        ..Assignments::default()
    };
    let placements = requests
        .iter()
        .zip(allocations)
        .map(|(request, allocations)| {
            let (addresses, error) = summarize(ranges, request.name, &allocations);
            if !addresses.is_empty() {
                assignments.addresses.insert(request.name.clone(), addresses.clone());
            }
            let targets =
                BindTargets::Addresses(addresses.into_iter().map(Address::same).collect());
            let not_bound_reason = NotBoundReason::NoAddress;
            let report = AddressReport { error, not_bound_reason, port_mappings: Vec::new() };
            Placement { targets, report }
        })
        .collect();
    (placements, assignments)
}

fn allocate<'a>(
    ranges: &Ranges,
    previous: &Assignments,
    requests: &[&AddressRequest<'a>],
    holders: &mut Holders<'a>,
) -> Vec<Vec<Allocation<'a>>> {
    let kept: Vec<_> =
        requests.iter().map(|request| keep(ranges, previous, request, holders)).collect();
    let mut by_value = Vec::with_capacity(requests.len());
    for (request, kept) in requests.iter().zip(kept) {
        let allocations: Vec<_> = request
            .addresses
            .iter()
            .zip(kept)
            .map(|(requested, kept)| match (kept, *requested) {
                (Some(ip), _) => Some(Allocation::Assigned(ip)),
                (None, Some(ip)) => Some(allocate_value(ranges, request.name, ip, holders)),
                (None, None) => None,
            })
            .collect();
        by_value.push(allocations);
    }
    let reserved = list_reserved(previous);
    let mut all = Vec::with_capacity(requests.len());
    for (request, allocations) in requests.iter().zip(by_value) {
        let mut any = || allocate_any(ranges, &reserved, request.name, holders);
        all.push(allocations.into_iter().map(|found| found.unwrap_or_else(&mut any)).collect());
    }
    all
}

/// Returns, for each requested address, the address that the Gateway has and may keep for it.
fn keep<'a>(
    ranges: &Ranges,
    previous: &Assignments,
    request: &AddressRequest<'a>,
    holders: &mut Holders<'a>,
) -> Vec<Option<IpAddr>> {
    let mut current = list_current(ranges, previous, request);
    current.retain(|ip| !holders.contains_key(ip));
    let (by_value, others): (Vec<_>, Vec<_>) =
        current.into_iter().partition(|ip| request.addresses.contains(&Some(*ip)));
    let mut others = others.into_iter();
    let kept: Vec<_> = request
        .addresses
        .iter()
        .map(|requested| match requested {
            Some(ip) => by_value.contains(ip).then_some(*ip),
            None => others.next(),
        })
        .collect();
    holders.extend(kept.iter().flatten().map(|ip| (*ip, request.name)));
    kept
}

/// Returns the addresses that a Gateway has had until now. Those of its status come first: the
/// replica that writes has chosen them, and the other replicas follow.
fn list_current(
    ranges: &Ranges,
    previous: &Assignments,
    request: &AddressRequest<'_>,
) -> Vec<IpAddr> {
    let status = request.gateway.status.iter().flat_map(|status| &status.addresses);
    let in_status = status
        .filter(|address| address.address_type == GatewayAddressType::IpAddress)
        .filter_map(|address| address.value.parse().ok());
    let assigned = previous.addresses.get(request.name).into_iter().flatten().copied();
    let mut current = Vec::new();
    for ip in in_status.chain(assigned).filter(|ip| ranges.contains(*ip)) {
        if !current.contains(&ip) {
            current.push(ip);
        }
    }
    current
}

fn allocate_value<'a>(
    ranges: &Ranges,
    gateway: &'a NamespacedName,
    ip: IpAddr,
    holders: &mut Holders<'a>,
) -> Allocation<'a> {
    if !ranges.contains(ip) {
        return Allocation::NotInPool(ip);
    }
    let holder = *holders.entry(ip).or_insert(gateway);
    if holder == gateway { Allocation::Assigned(ip) } else { Allocation::InUse(ip, holder) }
}

fn allocate_any<'a>(
    ranges: &Ranges,
    reserved: &Holders<'_>,
    gateway: &'a NamespacedName,
    holders: &mut Holders<'a>,
) -> Allocation<'a> {
    // The last address of the Gateway is tried first: the Gateway may have been absent for a moment
    // only.
    let own = reserved.iter().filter(|(_, owner)| **owner == gateway).map(|(ip, _)| *ip);
    let own = own.filter(|ip| ranges.contains(*ip));
    let start = stable_hash(&gateway.to_string());
    let others = ranges.starting_at(start.into()).filter(|ip| !reserved.contains_key(ip));
    match own.chain(others).find(|ip| !holders.contains_key(ip)) {
        Some(ip) => {
            holders.insert(ip, gateway);
            Allocation::Assigned(ip)
        }
        None => Allocation::PoolExhausted,
    }
}

/// Returns the addresses that only their last Gateway may get without requesting them by value:
/// those that cool down, and those that are released by this translation.
fn list_reserved(previous: &Assignments) -> Holders<'_> {
    let assigned = previous
        .addresses
        .iter()
        .flat_map(|(gateway, addresses)| addresses.iter().map(move |ip| (*ip, gateway)));
    assigned.chain(previous.cooling_down.iter().map(|(ip, gateway)| (*ip, gateway))).collect()
}

/// Returns the addresses that cool down from now on, with their last Gateways.
fn list_cooling_down(
    previous: &Assignments,
    holders: &Holders<'_>,
) -> BTreeMap<IpAddr, NamespacedName> {
    let mut cooling_down = previous.cooling_down.clone();
    for (gateway, addresses) in &previous.addresses {
        cooling_down.extend(addresses.iter().map(|ip| (*ip, gateway.clone())));
    }
    cooling_down.retain(|ip, _| !holders.contains_key(ip));
    cooling_down
}

/// Returns the addresses that a Gateway got, without duplicates, and the error if that is not all
/// it requested.
fn summarize(
    ranges: &Ranges,
    gateway: &NamespacedName,
    allocations: &[Allocation<'_>],
) -> (Vec<IpAddr>, Option<AddressError>) {
    let (mut addresses, mut unusable, mut is_exhausted) = (Vec::new(), Vec::new(), false);
    for allocation in allocations {
        match *allocation {
            Allocation::Assigned(ip) if addresses.contains(&ip) => {}
            Allocation::Assigned(ip) => addresses.push(ip),
            Allocation::NotInPool(ip) => unusable.push(UnusableAddress::NotInPool(ip)),
            Allocation::InUse(address, holder) => {
                let holder = Holder::new(holder, &gateway.namespace);
                unusable.push(UnusableAddress::InUse { address, holder });
            }
            Allocation::PoolExhausted => is_exhausted = true,
        }
    }
    let is_complete = unusable.is_empty() && !is_exhausted;
    let error = (!is_complete)
        .then(|| AddressError::Pool(PoolError { ranges: ranges.clone(), unusable, is_exhausted }));
    (addresses, error)
}
