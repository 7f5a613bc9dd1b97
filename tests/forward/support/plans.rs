//! Plans and settings for tests and benchmarks.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroUsize;
use std::sync::Arc;

use sluicegate::forward::Settings;
use sluicegate::model::{NamespacedName, ObjectName, SectionName, default_namespace};
use sluicegate::plan::{
    BackendId, BackendPlan, Endpoint, ListenAddress, ListenerId, ListenerPlan, Plan, RejectReason,
    RouteId, RoutePlan, Routing, Share,
};

/// A loopback address with a port that the kernel assigns.
pub const ANY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// Returns the default settings with this number of workers.
pub fn settings(workers: usize) -> Settings {
    Settings::default().with_workers(NonZeroUsize::new(workers).unwrap())
}

pub fn id(listener: &str) -> ListenerId {
    ListenerId::new(name("edge"), SectionName::new(listener).unwrap())
}

pub fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: ObjectName::new(name).unwrap() }
}

/// Returns a plan with these addresses of listeners.
pub fn plan<'a>(listeners: impl IntoIterator<Item = (&'a str, SocketAddr, Routing)>) -> Plan {
    let mut plan = Plan::default();
    for (listener, address, routing) in listeners {
        let listener = plan
            .listeners
            .entry(id(listener))
            .or_insert_with(|| ListenerPlan::new(Vec::new(), routing));
        listener.addresses.push(ListenAddress::tcp(address));
    }
    plan
}

/// Returns a route to one backend.
pub fn to(endpoints: &[SocketAddr]) -> Routing {
    route("route", [backend("backend", 1, endpoints)])
}

pub fn route(route: &str, shares: impl IntoIterator<Item = Share>) -> Routing {
    let shares = shares.into_iter().collect();
    Routing::Single(Arc::new(RoutePlan::new(RouteId::tcp(name(route)), shares)))
}

pub fn backend(backend: &str, weight: u32, endpoints: &[SocketAddr]) -> Share {
    let endpoints = endpoints.iter().map(|address| Endpoint::new(*address));
    Share::new(weight, Arc::new(BackendPlan::new(backend_id(backend), endpoints)))
}

pub fn rejecting(backend: &str, weight: u32, reason: RejectReason) -> Share {
    Share::reject(weight, backend_id(backend), reason)
}

fn backend_id(backend: &str) -> BackendId {
    BackendId::new(name(backend), None)
}
