//! The pod port of each listener port of Gateways that are reached through Services.
//!
//! The assignments are stored in the Services, so every replica reads the same `targetPort`s. Only
//! the operator of the gateway may edit Services in their namespace. An edit by mistake must not
//! take over the connections of another Gateway, so a Gateway keeps its ports even if the Service
//! of another Gateway claims them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::model::{
    NamespacedName, PodPorts, PortNumber, Service, ServicePort, TargetPort, TransportProtocol,
    stable_hash,
};

/// A listener port of a Gateway.
pub(super) type ListenerPort<'a> = (&'a NamespacedName, PortNumber);

/// The pod port of each listener port.
pub(super) type ByListenerPort<'a> = BTreeMap<ListenerPort<'a>, PortNumber>;

/// Returns the Service port that has the number of a listener port, and its numeric `targetPort`,
/// the pod port.
pub(super) fn find(service: &Service, port: PortNumber) -> Option<(&ServicePort, PortNumber)> {
    let mut ports = service.spec.ports.iter();
    let found =
        ports.find(|found| found.port == port && found.protocol == TransportProtocol::Tcp)?;
    match found.target_port {
        Some(TargetPort::Number(pod_port)) => Some((found, pod_port)),
        Some(TargetPort::Name(_)) | None => None,
    }
}

/// Assigns a pod port of `range` to each of the `requested` listener ports, none of them twice.
/// When the range is used up, the remaining listener ports get none.
///
/// In this order:
///
/// 1. a listener port keeps the previous port if it is the `targetPort` of its Service;
/// 2. it gets the `current` port, the `targetPort` of its Service; if several claim the same port,
///    the first by name;
/// 3. it gets its previous port back;
/// 4. it gets the first free port, probing from the hash of `gateway:port`. A port that was just
///    released is used last, because connections may still be on their way to it.
pub(super) fn assign<'a>(
    previous: &'a PodPorts,
    current: &ByListenerPort<'a>,
    requested: &BTreeSet<ListenerPort<'a>>,
    range: RangeInclusive<u16>,
) -> ByListenerPort<'a> {
    let previous: Vec<_> = previous
        .iter()
        .flat_map(|(name, ports)| ports.iter().map(move |(port, pod)| ((name, *port), *pod)))
        .collect();
    let kept = previous.iter().filter(|(key, port)| current.get(key) == Some(port));
    let claims = kept.copied().chain(current.iter().map(|(key, port)| (*key, *port)));
    let (mut taken, mut assigned) = (BTreeSet::new(), BTreeMap::new());
    for (key, port) in claims.chain(previous.iter().copied()) {
        let is_due = requested.contains(&key) && !assigned.contains_key(&key);
        if is_due && range.contains(&port.get()) && taken.insert(port) {
            assigned.insert(key, port);
        }
    }
    if assigned.len() == requested.len() {
        return assigned;
    }
    let released: BTreeSet<_> =
        current.values().copied().filter(|port| !taken.contains(port)).collect();
    let ports: Vec<_> = range.filter_map(PortNumber::new).collect();
    for key in requested {
        if ports.is_empty() || assigned.contains_key(key) {
            continue;
        }
        let (gateway, port) = key;
        let start = stable_hash(&format!("{gateway}:{port}")) % ports.len() as u64;
        let (before, after) = ports.split_at(start as usize);
        let mut free = after.iter().chain(before).filter(|port| !taken.contains(*port));
        let chosen = free.clone().find(|port| !released.contains(*port)).or_else(|| free.next());
        if let Some(&port) = chosen {
            taken.insert(port);
            assigned.insert(*key, port);
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

    type Key = (NamespacedName, PortNumber);
    type Ports = BTreeMap<Key, PortNumber>;

    fn key(gateway: &str, port: u16) -> Key {
        (format!("infra/{gateway}").parse().unwrap(), PortNumber::new(port).unwrap())
    }

    fn port(port: u16) -> PortNumber {
        PortNumber::new(port).unwrap()
    }

    fn assigned(
        previous: &Ports,
        current: &Ports,
        requested: &BTreeSet<Key>,
        range: RangeInclusive<u16>,
    ) -> Ports {
        let mut by_gateway = PodPorts::new();
        for ((gateway, port), pod_port) in previous {
            by_gateway.entry(gateway.clone()).or_default().insert(*port, *pod_port);
        }
        let current = current.iter().map(|((name, port), pod_port)| ((name, *port), *pod_port));
        let requested = requested.iter().map(|(name, port)| (name, *port)).collect();
        let assigned = assign(&by_gateway, &current.collect(), &requested, range);
        assigned.into_iter().map(|((name, port), pod)| ((name.clone(), port), pod)).collect()
    }

    fn none() -> Ports {
        Ports::new()
    }

    #[test]
    fn port_is_kept_and_the_first_of_two_gateways_keeps_it() {
        let current = Ports::from([
            (key("a", 1), port(20_005)),
            (key("b", 1), port(20_005)),
            (key("c", 1), port(80)),
        ]);
        let requested = current.keys().cloned().collect();
        let assigned = assigned(&none(), &current, &requested, POD_PORTS);
        assert_eq!(assigned[&key("a", 1)], port(20_005));
        assert_ne!(assigned[&key("b", 1)], port(20_005));
        assert!(POD_PORTS.contains(&assigned[&key("c", 1)].get()));
    }

    #[test]
    fn new_port_depends_on_the_name_alone() {
        let alone = assigned(&none(), &none(), &[key("a", 1)].into(), POD_PORTS);
        let both = assigned(&none(), &none(), &[key("a", 1), key("b", 1)].into(), POD_PORTS);
        assert_eq!(alone[&key("a", 1)], both[&key("a", 1)]);
        // Fixed, so that a new version of this program assigns the same port.
        assert_eq!(alone[&key("a", 1)], port(20_000 + OFFSET_OF_A));
    }

    /// FNV-1a of `infra/a:1`, modulo 10,000.
    const OFFSET_OF_A: u16 = 5940;

    #[test]
    fn port_is_kept_when_the_service_of_another_gateway_claims_it() {
        let previous = Ports::from([(key("a", 1), port(20_001)), (key("b", 1), port(20_002))]);
        let mut current = previous.clone();
        current.insert(key("a", 1), port(20_002));
        let requested = previous.keys().cloned().collect();
        assert_eq!(assigned(&previous, &current, &requested, POD_PORTS), previous);
        // A Gateway without a Service has no clients, so an existing Service has precedence.
        current.remove(&key("b", 1));
        let ports = assigned(&previous, &current, &requested, POD_PORTS);
        assert_eq!(ports[&key("a", 1)], port(20_002));
        assert_ne!(ports[&key("b", 1)], port(20_002));
        // A port that is free is taken from the Service, even if another one was assigned before.
        current.insert(key("a", 1), port(20_007));
        assert_eq!(
            assigned(&previous, &current, &requested, POD_PORTS)[&key("a", 1)],
            port(20_007)
        );
    }

    #[test]
    fn released_port_is_assigned_last() {
        let current = Ports::from([(key("a", 1), port(20_000))]);
        let requested = [key("b", 1), key("c", 1)].into();
        let ports = assigned(&none(), &current, &requested, 20_000..=20_001);
        assert_eq!(ports[&key("b", 1)], port(20_001));
        assert_eq!(ports[&key("c", 1)], port(20_000));
        let too_many = [key("b", 1), key("c", 1), key("d", 1)].into();
        assert_eq!(assigned(&none(), &current, &too_many, 20_000..=20_001), ports);
    }

    fn keys() -> impl Strategy<Value = Key> {
        ("[a-e]", 1..5u16).prop_map(|(gateway, port)| key(&gateway, port))
    }

    proptest! {
        #[test]
        fn ports_are_stable_and_never_collide(
            current in btree_map(keys(), (95..115u16).prop_map(port), 0..12),
            requested in btree_set(keys(), 0..12),
            size in 0..15u16,
        ) {
            let range = 100..=100 + size;
            let ports = assigned(&none(), &current, &requested, range.clone());
            let distinct: BTreeSet<_> = ports.values().copied().collect();
            prop_assert_eq!(distinct.len(), ports.len());
            prop_assert!(distinct.iter().all(|port| range.contains(&port.get())));
            prop_assert!(ports.keys().all(|key| requested.contains(key)));
            prop_assert_eq!(ports.len(), requested.len().min(range.len()));
            for (key, port) in &current {
                let is_first = current.iter().all(|(other, taken)| {
                    other >= key || taken != port || !requested.contains(other)
                });
                if requested.contains(key) && range.contains(&port.get()) && is_first {
                    prop_assert_eq!(ports[key], *port);
                }
            }
            prop_assert_eq!(assigned(&current, &ports, &requested, range), ports);
        }
    }
}
