//! Plans and settings for tests and benchmarks.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroUsize;
use std::sync::Arc;

use sluicegate::forward::Settings;
use sluicegate::model::{NamespacedName, ObjectName, SectionName, default_namespace};
use sluicegate::plan::{
    BackendId, BackendPlan, ListenAddress, ListenerId, ListenerPlan, Plan, RejectReason, RoutePlan,
    Routing, Target,
};

/// A port of this host that the system chooses.
pub const ANY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// The default settings, with this number of workers.
pub fn settings(workers: usize) -> Settings {
    Settings::default().with_workers(NonZeroUsize::new(workers).unwrap())
}

pub fn id(listener: &str) -> ListenerId {
    ListenerId { gateway: name("edge"), listener: SectionName::new(listener).unwrap() }
}

pub fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: ObjectName::new(name).unwrap() }
}

/// A plan of listeners with an address each.
pub fn plan<'a>(listeners: impl IntoIterator<Item = (&'a str, SocketAddr, Routing)>) -> Plan {
    let mut plan = Plan::default();
    for (listener, address, routing) in listeners {
        let listener = plan
            .listeners
            .entry(id(listener))
            .or_insert_with(|| ListenerPlan { addresses: Vec::new(), routing });
        listener.addresses.push(ListenAddress::at(address));
    }
    plan
}

/// A route with a single backend.
pub fn to(endpoints: &[SocketAddr]) -> Routing {
    route("route", [backend("backend", 1, endpoints)])
}

pub fn route(route: &str, backends: impl IntoIterator<Item = BackendPlan>) -> Routing {
    let backends = backends.into_iter().collect();
    Routing::Single(Arc::new(RoutePlan { route: name(route), backends }))
}

pub fn backend(backend: &str, weight: u32, endpoints: &[SocketAddr]) -> BackendPlan {
    let mut endpoints = endpoints.to_vec();
    endpoints.sort();
    target(backend, weight, Target::Endpoints(endpoints.into()))
}

pub fn rejecting(backend: &str, weight: u32, reason: RejectReason) -> BackendPlan {
    target(backend, weight, Target::Reject(reason))
}

fn target(backend: &str, weight: u32, target: Target) -> BackendPlan {
    BackendPlan { backend: BackendId { name: name(backend), port: None }, weight, target }
}
