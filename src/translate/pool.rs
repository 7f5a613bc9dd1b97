//! Each Gateway has addresses of its own.
//!
//! In this order, and each time in the order of precedence: who has an address keeps it; who asks
//! for one by its value gets it, if nobody has it; who leaves the choice to us gets the first that is
//! free from a place on that follows from the Gateway's name. So an address stays where it is over
//! changes and restarts, and even two processes that know nothing of each other mostly agree.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::addresses::{Address, Home, Place, Remarks};
use super::homes::Seeker;
use super::listeners::Refusal;
use super::ranges::Ranges;
use super::settings::History;
use crate::model::{GatewayAddressType, NamespacedName, Reason, stable_hash};

/// What came of a wish for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome<'a> {
    Given(IpAddr),
    /// The pool has no such address.
    Outside(IpAddr),
    /// Another Gateway has it.
    Taken(IpAddr, &'a NamespacedName),
    /// No address is free.
    Exhausted,
}

pub(super) fn homes(ranges: &Ranges, history: &History, seekers: &[&Seeker<'_>]) -> Vec<Home> {
    let outcomes = assign(ranges, history, seekers);
    outcomes.iter().map(|outcomes| home(ranges, outcomes)).collect()
}

fn assign<'a>(
    ranges: &Ranges,
    history: &History,
    seekers: &[&Seeker<'a>],
) -> Vec<Vec<Outcome<'a>>> {
    let mut tenants = BTreeMap::new();
    let kept: Vec<_> =
        seekers.iter().map(|seeker| keep(ranges, history, seeker, &mut tenants)).collect();
    let asked: Vec<Vec<_>> = seekers
        .iter()
        .zip(kept)
        .map(|(seeker, kept)| {
            let wishes = seeker.wishes.iter().zip(kept);
            let grant = |(wish, kept): (&Option<IpAddr>, Option<IpAddr>)| match (kept, *wish) {
                (Some(ip), _) => Some(Outcome::Given(ip)),
                (None, Some(ip)) => Some(grant(ranges, seeker.name, ip, &mut tenants)),
                (None, None) => None,
            };
            wishes.map(grant).collect()
        })
        .collect();
    let resting = resting(history);
    seekers
        .iter()
        .zip(asked)
        .map(|(seeker, asked)| {
            let mut choose = || choose(ranges, &resting, seeker.name, &mut tenants);
            asked.into_iter().map(|outcome| outcome.unwrap_or_else(&mut choose)).collect()
        })
        .collect()
}

/// Who has which address.
type Tenants<'a> = BTreeMap<IpAddr, &'a NamespacedName>;

/// The addresses that rest, those that are given up just now included, and who had them.
fn resting(history: &History) -> Tenants<'_> {
    let held = history.held.iter().flat_map(|(name, held)| held.iter().map(move |ip| (*ip, name)));
    held.chain(history.resting.iter().map(|(ip, name)| (*ip, name))).collect()
}

/// For each wish, the address that the Gateway has and may keep for it.
fn keep<'a>(
    ranges: &Ranges,
    history: &History,
    seeker: &Seeker<'a>,
    tenants: &mut Tenants<'a>,
) -> Vec<Option<IpAddr>> {
    let wishes = &seeker.wishes;
    let mut had = had(history, ranges, seeker);
    had.retain(|ip| !tenants.contains_key(ip));
    let (asked, spare): (Vec<_>, Vec<_>) =
        had.into_iter().partition(|ip| wishes.contains(&Some(*ip)));
    let mut spare = spare.into_iter();
    let kept: Vec<_> = wishes
        .iter()
        .map(|wish| match wish {
            Some(ip) => asked.contains(ip).then_some(*ip),
            None => spare.next(),
        })
        .collect();
    tenants.extend(kept.iter().flatten().map(|ip| (*ip, seeker.name)));
    kept
}

/// The addresses that a Gateway had until now. Those of its status come first: what the replica that
/// writes has chosen, the others take over.
fn had(history: &History, ranges: &Ranges, seeker: &Seeker<'_>) -> Vec<IpAddr> {
    let status = seeker.gateway.status.iter().flat_map(|status| &status.addresses);
    let told = status
        .filter(|address| address.address_type == GatewayAddressType::IpAddress)
        .filter_map(|address| address.value.parse().ok());
    let held = history.held.get(seeker.name).into_iter().flatten().copied();
    let mut had = Vec::new();
    for ip in told.chain(held).filter(|ip| ranges.contains(*ip)) {
        if !had.contains(&ip) {
            had.push(ip);
        }
    }
    had
}

/// Gives an address to a Gateway that asks for it.
fn grant<'a>(
    ranges: &Ranges,
    name: &'a NamespacedName,
    ip: IpAddr,
    tenants: &mut Tenants<'a>,
) -> Outcome<'a> {
    if !ranges.contains(ip) {
        return Outcome::Outside(ip);
    }
    let holder = *tenants.entry(ip).or_insert(name);
    if holder == name { Outcome::Given(ip) } else { Outcome::Taken(ip, holder) }
}

/// Finds an address for a Gateway that leaves the choice to us.
fn choose<'a>(
    ranges: &Ranges,
    resting: &Tenants<'_>,
    name: &'a NamespacedName,
    tenants: &mut Tenants<'a>,
) -> Outcome<'a> {
    // What it had just now comes first: it may have been gone for a moment only.
    let own = resting.iter().filter(|(_, owner)| **owner == name).map(|(ip, _)| *ip);
    let own = own.filter(|ip| ranges.contains(*ip));
    let place = stable_hash(&name.to_string());
    let others = ranges.starting_at(place.into()).filter(|ip| !resting.contains_key(ip));
    match own.chain(others).find(|ip| !tenants.contains_key(ip)) {
        Some(ip) => {
            tenants.insert(ip, name);
            Outcome::Given(ip)
        }
        None => Outcome::Exhausted,
    }
}

fn home(ranges: &Ranges, outcomes: &[Outcome<'_>]) -> Home {
    let (mut addresses, mut unusable, mut exhausted) = (Vec::new(), Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Outcome::Given(ip) if addresses.contains(&Address::of(*ip)) => {}
            Outcome::Given(ip) => addresses.push(Address::of(*ip)),
            Outcome::Outside(ip) => {
                unusable.push(format!("Address {ip} is not in the pool, which is {ranges}."));
            }
            Outcome::Taken(ip, holder) => {
                unusable.push(format!("Gateway {holder} has address {ip}."));
            }
            Outcome::Exhausted => {
                exhausted = Some(format!(
                    "No address of the pool is free; it is {ranges}. The first that gets free is assigned, a minute after."
                ));
            }
        }
    }
    let reason = match (&unusable[..], &exhausted) {
        ([], None) => None,
        ([], Some(_)) => Some(Reason::ADDRESS_NOT_ASSIGNED),
        _ => Some(Reason::ADDRESS_NOT_USABLE),
    };
    unusable.extend(exhausted);
    let lack = reason.map(|reason| Refusal { reason, message: unusable.join(" ") });
    let pending = "the Gateway has no address yet".to_owned();
    Home {
        place: Place::Addresses(addresses),
        remarks: Remarks { lack, pending, note: String::new() },
    }
}
