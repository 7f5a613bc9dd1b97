//! The transition times of the conditions in a gateway's report.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::transition::{LiveState, last_transition_time};
use crate::model::merge_join::AscendingReader;
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
        let mut known = LastReport::new(
            &before.gateway_classes,
            &objects.gateway_classes,
            &objects_before.gateway_classes,
        );
        for (name, class) in &mut self.gateway_classes {
            let before = known.get(name, |class| &class.metadata);
            set_times(&mut class.conditions, before.map(|before| &*before.conditions), now);
        }
        let mut known =
            LastReport::new(&before.gateways, &objects.gateways, &objects_before.gateways);
        for (name, gateway) in &mut self.gateways {
            set_gateway_times(gateway, known.get(name, |gateway| &gateway.metadata), now);
        }
        let mut known =
            LastReport::new(&before.tcp_routes, &objects.tcp_routes, &objects_before.tcp_routes);
        for (name, route) in &mut self.tcp_routes {
            set_route_times(route, known.get(name, |route| &route.metadata), now);
        }
    }
}

/// The last report on the objects of one kind.
struct LastReport<'a, K, S, T> {
    status: AscendingReader<'a, K, S>,
    objects: AscendingReader<'a, K, Arc<T>>,
    objects_before: AscendingReader<'a, K, Arc<T>>,
}

impl<'a, K: Ord, S, T> LastReport<'a, K, S, T> {
    fn new(
        status: &'a BTreeMap<K, S>,
        objects: &'a BTreeMap<K, Arc<T>>,
        objects_before: &'a BTreeMap<K, Arc<T>>,
    ) -> Self {
        Self {
            status: AscendingReader::new(status),
            objects: AscendingReader::new(objects),
            objects_before: AscendingReader::new(objects_before),
        }
    }

    /// Returns the last status of an object, unless it was of an earlier object of the same name.
    /// The names must be ascending.
    fn get(&mut self, name: &K, metadata: fn(&T) -> &ObjectMeta) -> Option<&'a S> {
        let object = self.objects.get(name)?;
        let before = self.objects_before.get(name)?;
        let is_same = Arc::ptr_eq(object, before) || is_same(metadata(object), metadata(before));
        self.status.get(name).filter(|_| is_same)
    }
}

/// Returns `true` if the metadata belongs to one object, and not to two objects that had the name
/// one after the other. Sources without an API server need not set a UID.
fn is_same(object: &ObjectMeta, previous: &ObjectMeta) -> bool {
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
