//! Addresses and ports: no two listeners bind the same socket, and assignments to Gateways are
//! stable.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sluicegate::model::*;
use sluicegate::translate::{Addresses, Assignments, Settings, Translation, translate};

use crate::objects::{objects, overlap, settings};
use crate::{config, resources};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bind_addresses_are_distinct(objects in objects(), settings in settings()) {
        let plan = translate(&resources(&objects), &settings, &Assignments::default()).plan;
        for (id, listener) in &plan.listeners {
            // One socket may serve several of the listener's own addresses.
            for one in &listener.addresses {
                for two in &listener.addresses {
                    let clash = one.bind != two.bind && overlap(one.bind.address.ip(), two.bind.address.ip());
                    prop_assert!(!clash, "{id} {one:?}, {two:?}");
                }
            }
            for (other_id, other) in plan.listeners.iter().filter(|(other, _)| *other > id) {
                for one in &listener.addresses {
                    for two in &other.addresses {
                        let clash = one.bind.address.port() == two.bind.address.port()
                            && overlap(one.bind.address.ip(), two.bind.address.ip());
                        prop_assert!(!clash, "{id} {one:?}, {other_id} {two:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn pool_addresses_are_exclusive_and_stable(
        objects in objects(),
        also in objects(),
        settings in settings(),
    ) {
        let before = resources(&objects);
        let Translation { status, assignments, .. } =
            translate(&before, &settings, &Assignments::default());
        let assigned = &assignments.addresses;
        let mut holders = BTreeMap::new();
        for (name, address) in assigned.iter().flat_map(|(name, all)| all.iter().map(move |ip| (name, ip))) {
            prop_assert!(holders.insert(address, name).is_none_or(|other| other == name), "{}", address);
        }

        // Further objects are added. The assigned addresses stay the same.
        let mut after = before.clone();
        after.extend(also.into_iter().filter(|object| before.get(&object.key()).is_none()));
        let assigned_after = translate(&after, &settings, &assignments).assignments.addresses;
        for (name, addresses) in assigned {
            prop_assert_eq!(assigned_after.get(name), Some(addresses), "{}", name);
        }

        // A replica that knows only the status assigns the same addresses.
        for (name, gateway) in &status.gateways {
            let mut object = Gateway::clone(&before.gateways[name]);
            object.status = Some(gateway.clone());
            after.insert(object);
        }
        let translation = translate(&after, &settings, &Assignments::default());
        let assigned_again = translation.assignments.addresses;
        for (name, _) in status.gateways.iter().filter(|(_, gateway)| !gateway.addresses.is_empty()) {
            prop_assert_eq!(assigned_again.get(name), assigned.get(name), "{}", name);
        }
    }

    #[test]
    fn pod_ports_are_exclusive_and_stable(objects in objects(), also in objects()) {
        let settings = Settings::default().with_addresses(Addresses::Service("system".parse().unwrap()));
        let before = resources(&objects);
        let Translation { plan, gateway_services, assignments, .. } =
            translate(&before, &settings, &Assignments::default());
        let mut holders = BTreeMap::new();
        for (name, service) in &*gateway_services {
            for pod_port in service.pod_ports.values() {
                prop_assert!((20_000..=29_999).contains(&pod_port.get()));
                prop_assert_eq!(holders.insert(pod_port.get(), name), None);
            }
        }
        // Listeners bind only the pod ports of their Gateway.
        for (id, listener) in &plan.listeners {
            for address in &listener.addresses {
                prop_assert_eq!(holders.get(&address.bind.address.port()), Some(&&id.gateway));
            }
        }

        // The ports of a Gateway depend on its Service, so no Service is added.
        let mut after = before.clone();
        after.extend(also.into_iter().filter(|object| {
            before.get(&object.key()).is_none() && !matches!(object, Object::Service(_))
        }));
        let services_after = translate(&after, &settings, &assignments).gateway_services;
        for (name, service) in &*gateway_services {
            prop_assert_eq!(services_after.get(name), Some(service), "{}", name);
        }
    }
}
