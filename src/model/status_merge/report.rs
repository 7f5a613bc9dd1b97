//! The transition times of the conditions in a gateway's report.

use jiff::Timestamp;

use super::transition::{LiveState, last_transition_time};
use crate::model::{
    Condition, GatewayStatus, ObjectMeta, Resources, RouteStatus, StatusReport, find_condition,
};

impl StatusReport {
    /// Sets the transition time of each condition that has none: the time in the report `before` if
    /// that contains the condition with the same status, otherwise `now`.
    ///
    /// `objects` and `objects_before` are the objects of the two reports. The conditions of an
    /// object that was deleted and created again count as new.
    pub(crate) fn set_transition_times(
        &mut self,
        objects: &Resources,
        before: &Self,
        objects_before: &Resources,
        now: Timestamp,
    ) {
        for (name, class) in &mut self.gateway_classes {
            let object = objects.gateway_classes.get(name).map(|class| &class.metadata);
            let previous = objects_before.gateway_classes.get(name).map(|class| &class.metadata);
            let before = before.gateway_classes.get(name).filter(|_| is_same(object, previous));
            set_times(&mut class.conditions, before.map(|before| &*before.conditions), now);
        }
        for (name, gateway) in &mut self.gateways {
            let object = objects.gateways.get(name).map(|gateway| &gateway.metadata);
            let previous = objects_before.gateways.get(name).map(|gateway| &gateway.metadata);
            let before = before.gateways.get(name).filter(|_| is_same(object, previous));
            set_gateway_times(gateway, before, now);
        }
        for (name, route) in &mut self.tcp_routes {
            let object = objects.tcp_routes.get(name).map(|route| &route.metadata);
            let previous = objects_before.tcp_routes.get(name).map(|route| &route.metadata);
            let before = before.tcp_routes.get(name).filter(|_| is_same(object, previous));
            set_route_times(route, before, now);
        }
    }
}

/// Returns `true` if the metadata belongs to one object, and not to two objects that had the name
/// one after the other. Sources without an API server need not set a UID.
fn is_same(object: Option<&ObjectMeta>, previous: Option<&ObjectMeta>) -> bool {
    let (Some(object), Some(previous)) = (object, previous) else { return false };
    match (&object.uid, &previous.uid) {
        (Some(uid), Some(previous)) => uid == previous,
        _ => object.creation_timestamp == previous.creation_timestamp,
    }
}

fn set_gateway_times(status: &mut GatewayStatus, before: Option<&GatewayStatus>, now: Timestamp) {
    set_times(&mut status.conditions, before.map(|before| &*before.conditions), now);
    for listener in &mut status.listeners {
        let before = before
            .and_then(|before| before.listeners.iter().find(|known| known.name == listener.name));
        set_times(&mut listener.conditions, before.map(|before| &*before.conditions), now);
    }
}

fn set_route_times(status: &mut RouteStatus, before: Option<&RouteStatus>, now: Timestamp) {
    for parent in &mut status.parents {
        let before = before.and_then(|before| {
            before.parents.iter().find(|known| {
                known.parent_ref == parent.parent_ref
                    && known.controller_name == parent.controller_name
            })
        });
        set_times(&mut parent.conditions, before.map(|before| &*before.conditions), now);
    }
}

fn set_times(conditions: &mut [Condition], before: Option<&[Condition]>, now: Timestamp) {
    for condition in conditions.iter_mut().filter(|it| it.last_transition_time.is_none()) {
        let before = find_condition(before.unwrap_or_default(), &condition.condition_type);
        let before = before.map(LiveState::from);
        let time = last_transition_time(condition, before, now);
        condition.last_transition_time = Some(time);
    }
}
