//! The reported status: it agrees with the plan, keeps the entries of other controllers, and does
//! not change after it is written.

use std::sync::Arc;

use proptest::prelude::*;
use sluicegate::model::*;
use sluicegate::translate::{Assignments, Settings, Translation, translate};

use crate::objects::{OURS, objects, parse, settings};
use crate::{config, is_true, resources, translated};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn conditions_are_consistent_with_the_plan(objects in objects()) {
        let Translation { plan, status, .. } = translated(&objects);
        let mut open = 0;
        for (name, gateway) in &status.gateways {
            let accepted = is_true(&gateway.conditions, &ConditionType::ACCEPTED);
            prop_assert_eq!(is_true(&gateway.conditions, &ConditionType::PROGRAMMED), accepted);
            let mut valid = 0;
            for listener in &gateway.listeners {
                let is_valid = is_true(&listener.conditions, &ConditionType::ACCEPTED);
                let programmed = is_true(&listener.conditions, &ConditionType::PROGRAMMED);
                prop_assert_eq!(programmed, is_valid && accepted, "{}/{}", name, listener.name);
                let resolved = find_condition(&listener.conditions, &ConditionType::RESOLVED_REFS);
                prop_assert!(resolved.is_some() || !is_valid, "{}/{}", name, listener.name);
                prop_assert!(is_valid || listener.supported_kinds.is_empty());
                valid += usize::from(is_valid);
                open += usize::from(programmed);
            }
            prop_assert!(!accepted || valid > 0 || gateway.listeners.is_empty());
            prop_assert_eq!(gateway.addresses.is_empty(), !accepted || valid == 0);
        }
        prop_assert_eq!(plan.listeners.len(), open);
    }

    #[test]
    fn programmed_listeners_are_in_the_plan_and_advertised(
        objects in objects(),
        settings in settings(),
    ) {
        let Translation { plan, status, .. } =
            translate(&resources(&objects), &settings, &Assignments::default());
        let mut open = 0;
        for (name, gateway) in &status.gateways {
            for listener in &gateway.listeners {
                let programmed = is_true(&listener.conditions, &ConditionType::PROGRAMMED);
                prop_assert!(!programmed || is_true(&listener.conditions, &ConditionType::ACCEPTED));
                open += usize::from(programmed);
            }
            if is_true(&gateway.conditions, &ConditionType::PROGRAMMED) {
                prop_assert!(is_true(&gateway.conditions, &ConditionType::ACCEPTED));
                prop_assert!(gateway.listeners.is_empty() || !gateway.addresses.is_empty(), "{}", name);
            }
        }
        prop_assert_eq!(plan.listeners.len(), open);
    }

    #[test]
    fn foreign_route_status_is_kept(objects in objects()) {
        let resources = resources(&objects);
        let status = translated(&objects).status;
        let theirs = |parents: &[RouteParentStatus]| -> Vec<_> {
            parents.iter().filter(|parent| parent.controller_name != OURS).cloned().collect()
        };
        for (name, route) in &resources.tcp_routes {
            let before = route.status.as_ref().map_or(&[][..], |status| &status.parents);
            match status.tcp_routes.get(name) {
                Some(status) => prop_assert_eq!(theirs(&status.parents), theirs(before)),
                // No status is written, so the object must contain no entry of this controller.
                None => prop_assert_eq!(theirs(before).len(), before.len()),
            }
        }
    }

    #[test]
    fn written_status_is_a_fixed_point(objects in objects()) {
        let mut resources = resources(&objects);
        let settings = Settings::default().with_controller(parse(OURS));
        let first = translate(&resources, &settings, &Assignments::default());
        for (name, status) in &first.status.tcp_routes {
            let mut route = TcpRoute::clone(&resources.tcp_routes[name]);
            route.status = Some(status.clone());
            resources.insert(route);
        }
        let mut again = translate(&resources, &settings, &Assignments::default());
        // A route without an entry of this controller is not in the next report.
        let without_ours = first.status.tcp_routes.iter().filter(|(_, status)| {
            status.parents.iter().all(|parent| parent.controller_name != OURS)
        });
        Arc::make_mut(&mut again.status)
            .tcp_routes
            .extend(without_ours.map(|(name, status)| (name.clone(), status.clone())));
        prop_assert_eq!(first, again);
    }
}
