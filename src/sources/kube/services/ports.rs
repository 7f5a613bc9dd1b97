//! Which pod port each listener of each Gateway gets.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::PodPorts;
use crate::model::gateway_service_name;
use crate::model::{
    Gateway, NamespacedName, PortNumber, Resources, TargetPort, TransportProtocol, stable_hash,
};

/// The pod ports that are given already: the Services themselves are the only record.
pub(in super::super) fn existing<'a>(
    resources: &Resources,
    gateways: impl IntoIterator<Item = &'a Gateway>,
) -> PodPorts {
    let of_gateway = |gateway: &Gateway| {
        let name = gateway.metadata.namespaced_name();
        let namespace = name.namespace.clone();
        let service = NamespacedName { namespace, name: gateway_service_name(gateway) };
        let service = resources.services.get(&service)?;
        if !service.metadata.is_owned_by(&gateway.metadata) {
            return None;
        }
        let ports = service.spec.ports.iter().filter_map(move |port| match port.target_port {
            Some(TargetPort::Number(pod_port)) if port.protocol == TransportProtocol::Tcp => {
                Some(((name.clone(), port.port), pod_port))
            }
            _ => None,
        });
        Some(ports.collect::<Vec<_>>())
    };
    gateways.into_iter().filter_map(of_gateway).flatten().collect()
}

/// A pod port for each wanted listener port, none of them twice; nothing for those that come when
/// all are given.
///
/// Who has a port keeps it. Of two that have the same one, it is whose it was `before`, else the first
/// by name: anybody can edit a Service, and must not get another one's port by that. The other gets back
/// what it had. Who has none gets the
/// first that is free from a place on that follows from their names, so that a Service which was
/// lost mostly gets its ports back. A port that was given up just now is taken last: connections may
/// still be on their way there.
pub(in super::super) fn assign(
    existing: &PodPorts,
    before: &PodPorts,
    wanted: &BTreeSet<(NamespacedName, PortNumber)>,
    range: RangeInclusive<u16>,
) -> PodPorts {
    let (mut taken, mut assigned) = (BTreeSet::new(), PodPorts::new());
    let kept = before.iter().filter(|(key, port)| existing.get(key).is_none_or(|has| has == *port));
    for (key, port) in kept.chain(existing).chain(before) {
        let is_due = wanted.contains(key) && !assigned.contains_key(key);
        if is_due && range.contains(&port.get()) && taken.insert(*port) {
            assigned.insert(key.clone(), *port);
        }
    }
    let given_up: BTreeSet<_> =
        existing.values().copied().filter(|port| !taken.contains(port)).collect();
    let all: Vec<_> = range.filter_map(PortNumber::new).collect();
    for key in wanted {
        if all.is_empty() || assigned.contains_key(key) {
            continue;
        }
        let (gateway, port) = key;
        let place = stable_hash(&format!("{gateway}:{port}")) % all.len() as u64;
        let (before, after) = all.split_at(place as usize);
        let mut free = after.iter().chain(before).filter(|port| !taken.contains(*port));
        let chosen = free.clone().find(|port| !given_up.contains(*port)).or_else(|| free.next());
        if let Some(&port) = chosen {
            taken.insert(port);
            assigned.insert(key.clone(), port);
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set};
    use proptest::prelude::*;

    use super::*;
    use crate::model::POD_PORTS;

    fn none() -> PodPorts {
        PodPorts::new()
    }

    fn key(gateway: &str, port: u16) -> (NamespacedName, PortNumber) {
        (format!("infra/{gateway}").parse().unwrap(), PortNumber::new(port).unwrap())
    }

    fn port(port: u16) -> PortNumber {
        PortNumber::new(port).unwrap()
    }

    #[test]
    fn a_port_is_kept_and_the_first_of_two_keeps_it() {
        let existing = PodPorts::from([
            (key("a", 1), port(20_005)),
            (key("b", 1), port(20_005)),
            (key("c", 1), port(80)),
        ]);
        let wanted = existing.keys().cloned().collect();
        let assigned = assign(&existing, &none(), &wanted, POD_PORTS);
        assert_eq!(assigned[&key("a", 1)], port(20_005));
        assert_ne!(assigned[&key("b", 1)], port(20_005));
        assert!(POD_PORTS.contains(&assigned[&key("c", 1)].get()));
    }

    #[test]
    fn a_port_follows_from_the_name_whatever_else_there_is() {
        let alone = assign(&none(), &none(), &[key("a", 1)].into(), POD_PORTS);
        let both = assign(&none(), &none(), &[key("a", 1), key("b", 1)].into(), POD_PORTS);
        assert_eq!(alone[&key("a", 1)], both[&key("a", 1)]);
        // As it has always been: a new version of this program finds the same.
        assert_eq!(alone[&key("a", 1)], port(20_000 + PLACE_OF_A));
    }

    #[test]
    fn a_port_is_not_lost_to_a_service_that_was_edited() {
        let before = PodPorts::from([(key("a", 1), port(20_001)), (key("b", 1), port(20_002))]);
        let mut existing = before.clone();
        existing.insert(key("a", 1), port(20_002));
        let wanted = before.keys().cloned().collect();
        assert_eq!(assign(&existing, &before, &wanted, POD_PORTS), before);
        // Nor where the other one's Service is not there yet.
        existing.remove(&key("b", 1));
        assert_eq!(assign(&existing, &before, &wanted, POD_PORTS), before);
        // What a Service says counts more than what was thought of it.
        existing.insert(key("a", 1), port(20_007));
        assert_eq!(assign(&existing, &before, &wanted, POD_PORTS)[&key("a", 1)], port(20_007));
    }

    /// FNV-1a of `infra/a:1`, modulo 10 000.
    const PLACE_OF_A: u16 = 5940;

    #[test]
    fn a_port_that_was_given_up_is_taken_last() {
        let existing = PodPorts::from([(key("a", 1), port(20_000))]);
        let wanted = [key("b", 1), key("c", 1)].into();
        let assigned = assign(&existing, &none(), &wanted, 20_000..=20_001);
        assert_eq!(assigned[&key("b", 1)], port(20_001));
        assert_eq!(assigned[&key("c", 1)], port(20_000));
        let crowd = [key("b", 1), key("c", 1), key("d", 1)].into();
        assert_eq!(assign(&existing, &none(), &crowd, 20_000..=20_001), assigned);
    }

    fn keys() -> impl Strategy<Value = (NamespacedName, PortNumber)> {
        ("[a-e]", 1..5u16).prop_map(|(gateway, port)| key(&gateway, port))
    }

    proptest! {
        #[test]
        fn ports_stay_and_never_collide(
            existing in btree_map(keys(), (95..115u16).prop_map(port), 0..12),
            wanted in btree_set(keys(), 0..12),
            size in 0..15u16,
        ) {
            let range = 100..=100 + size;
            let assigned = assign(&existing, &none(), &wanted, range.clone());
            let ports: BTreeSet<_> = assigned.values().copied().collect();
            prop_assert_eq!(ports.len(), assigned.len());
            prop_assert!(ports.iter().all(|port| range.contains(&port.get())));
            prop_assert!(assigned.keys().all(|key| wanted.contains(key)));
            prop_assert_eq!(assigned.len(), wanted.len().min(range.len()));
            for (key, port) in &existing {
                let is_alone = existing.iter().all(|(other, taken)| {
                    other >= key || taken != port || !wanted.contains(other)
                });
                if wanted.contains(key) && range.contains(&port.get()) && is_alone {
                    prop_assert_eq!(assigned[key], *port);
                }
            }
            prop_assert_eq!(assign(&assigned, &existing, &wanted, range), assigned);
        }
    }
}
