//! Tests of the summary of a change.

use std::sync::Arc;

use super::plan_changes::PlanChanges;
use super::summary::{Importance, Summary};
use crate::model::{
    BackendRef, EndpointSlice, GatewayStatus, ListenerStatus, NamespacedName, ObjectMeta,
    PortNumber, Resources, RouteStatus, Service, StatusReport, TcpRoute,
};
use crate::plan::{
    BackendId, BackendPlan, BindError, BindErrorKind, Endpoint, ListenerId, ListenerPlan, Plan,
    RouteId, RoutePlan, Routing, Share, SocketId,
};
use crate::server::report::{ListenerReport, Report};

/// A state of a gateway: the report and the plan.
#[derive(Clone, Default)]
struct State {
    report: Report,
    plan: Plan,
}

impl State {
    /// Adds or replaces a listener that is open.
    fn listener(mut self, name: &str, port: u16, route: Option<Arc<RoutePlan>>) -> Self {
        let id: ListenerId = format!("infra/edge/{name}").parse().unwrap();
        let routing = route.map_or(Routing::Unrouted, Routing::Single);
        self.plan.listeners.insert(id.clone(), ListenerPlan::new(Vec::new(), routing));
        let bound = vec![([10, 0, 0, 1], port).into()];
        let report = ListenerReport { bound, ..ListenerReport::default() };
        self.report.listeners.insert(id, report);
        self
    }

    fn objects(mut self, change: impl FnOnce(&mut Resources)) -> Self {
        change(Arc::make_mut(&mut self.report.resources));
        self
    }

    fn status(mut self, change: impl FnOnce(&mut StatusReport)) -> Self {
        change(Arc::make_mut(&mut self.report.status));
        self
    }

    fn problems(mut self, problems: &[&str]) -> Self {
        self.report.problems = problems.iter().map(|&problem| problem.to_owned()).collect();
        self
    }

    fn since(&self, before: &Self) -> Summary {
        let plan = PlanChanges::between(&before.plan, &self.plan);
        Summary::new(Some(&before.report), &self.report, plan)
    }
}

fn route(name: &str, endpoints: &[&str]) -> Option<Arc<RoutePlan>> {
    let name: NamespacedName = format!("infra/{name}").parse().unwrap();
    let endpoints = endpoints.iter().map(|text| Endpoint::new(text.parse().unwrap()));
    let backend = BackendPlan::new(BackendId::new(name.clone(), None), endpoints);
    let shares = vec![Share::new(1, Arc::new(backend))];
    Some(Arc::new(RoutePlan::new(RouteId::tcp(name), shares)))
}

fn port(port: u16) -> PortNumber {
    PortNumber::new(port).unwrap()
}

fn meta(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn service(name: &str) -> Service {
    Service::new(meta(name), port(1))
}

fn slice(name: &str, ip: &str) -> EndpointSlice {
    EndpointSlice::new(&service(name), port(1), [ip.parse().unwrap()])
}

fn tcp_route(name: &str, weight: u16) -> TcpRoute {
    let backend = BackendRef::service("db".parse().unwrap(), port(weight));
    TcpRoute::new(meta(name), Vec::new(), vec![backend])
}

#[track_caller]
fn assert_summary(summary: &Summary, expected: &str) {
    assert_eq!(summary.importance(), Some(Importance::Effect), "{summary}");
    assert_eq!(summary.to_string(), expected);
}

#[test]
fn summary_of_other_endpoints_names_route_and_endpoints() {
    let before = State::default()
        .objects(|objects| drop(objects.insert(slice("db", "10.0.0.1"))))
        .listener("db", 1, route("db", &["10.0.0.1:1"]))
        .listener("other", 2, route("db", &["10.0.0.1:1"]));
    let now = before
        .clone()
        .objects(|objects| drop(objects.insert(slice("db", "10.0.0.2"))))
        .listener("db", 1, route("db", &["10.0.0.2:1"]))
        .listener("other", 2, route("db", &["10.0.0.2:1"]));
    let summary = now.since(&before);
    assert_summary(
        &summary,
        "changes applied: objects changed: 1 (EndpointSlice default/db-ipv4); \
         routes changed: 1 (TCPRoute/infra/db: 1 endpoint +10.0.0.2:1 -10.0.0.1:1)",
    );
    assert_eq!((summary.object_count(), summary.route_count()), (1, 1));
}

#[test]
fn summary_of_removed_route_names_listeners_without_a_route() {
    let before = State::default().listener("db", 1, route("db", &["10.0.0.1:1"]));
    let now = before.clone().listener("db", 1, None);
    assert_summary(
        &now.since(&before),
        "changes applied: routes no longer in use: 1 (TCPRoute/infra/db); \
         listeners without a route: 1 (infra/edge/db)",
    );
    assert_summary(
        &before.since(&now),
        "changes applied: routes in use: 1 (TCPRoute/infra/db: 1 endpoint +10.0.0.1:1); \
         listeners with a new route: 1 (infra/edge/db: TCPRoute/infra/db)",
    );
}

#[test]
fn summary_omits_route_that_other_listeners_keep() {
    let db = route("db", &["10.0.0.1:1"]);
    let before = State::default().listener("a", 1, db.clone()).listener("b", 2, None);
    let now = before.clone().listener("b", 2, db.clone());
    assert_summary(
        &now.since(&before),
        "changes applied: listeners with a new route: 1 (infra/edge/b: TCPRoute/infra/db)",
    );
    assert_summary(
        &before.since(&now),
        "changes applied: listeners without a route: 1 (infra/edge/b)",
    );
    // The listeners exchange their routes.
    let web = route("web", &["10.0.0.2:1"]);
    let one = State::default().listener("a", 1, db.clone()).listener("b", 2, web.clone());
    let two = State::default().listener("a", 1, web).listener("b", 2, db);
    assert_summary(
        &two.since(&one),
        "changes applied: listeners with a new route: 2 (infra/edge/a: TCPRoute/infra/web, \
         infra/edge/b: TCPRoute/infra/db)",
    );
}

#[test]
fn summary_names_opened_closed_and_failed_listeners() {
    let before = State::default().listener("a", 1, None).listener("b", 2, None);
    let mut now = before.clone().listener("b", 3, None).listener("c", 4, None);
    let a = now.report.listeners.first_entry().unwrap().into_mut();
    let (socket, message) = (SocketId::tcp(a.bound.remove(0)), "address already in use");
    a.bind_errors.push(BindError::new(socket, BindErrorKind::PortUnavailable, message));
    assert_summary(
        &now.since(&before),
        "changes applied: listeners opened: 2 (infra/edge/b, infra/edge/c); \
         listeners closed: 2 (infra/edge/a, infra/edge/b); listeners not open: 1 (infra/edge/a); \
         listeners without a route: 1 (infra/edge/c)",
    );
}

#[test]
fn summary_contains_resolved_problems_and_the_number_of_the_others() {
    let before = State::default().problems(&["a.yaml:1:1: wrong", "b.yaml:1:1: wrong"]);
    let now = before.clone().problems(&["b.yaml:1:1: wrong"]);
    assert_summary(
        &now.since(&before),
        "changes applied: problems resolved: 1 (a.yaml:1:1: wrong); problems remaining: 1",
    );
    assert!(before.since(&now).importance().is_none(), "a problem has a line of its own");
}

#[test]
fn status_is_not_a_change_of_an_object() {
    let before = State::default().objects(|objects| drop(objects.insert(tcp_route("r", 1))));
    let now = before.clone().objects(|objects| {
        let mut route = tcp_route("r", 1);
        route.status = Some(RouteStatus { parents: Vec::new() });
        objects.insert(route);
    });
    assert_ne!(now.report.resources, before.report.resources);
    assert_eq!(now.since(&before).importance(), None);
    let now = before.clone().status(|status| {
        let listener = ListenerStatus {
            name: "db".parse().unwrap(),
            supported_kinds: Vec::new(),
            attached_routes: 0,
            conditions: Vec::new(),
        };
        let gateway = GatewayStatus { listeners: vec![listener], ..GatewayStatus::default() };
        status.gateways.insert("infra/edge".parse().unwrap(), gateway);
    });
    assert_eq!(now.since(&before).importance(), None, "the object did not change");
}

#[test]
fn importance_depends_on_the_effect_of_the_objects() {
    let before = State::default();
    let other = before.clone().objects(|objects| drop(objects.insert(service("other"))));
    assert_eq!(other.since(&before).importance(), Some(Importance::NoEffect));
    let with_status = other.status(|status| {
        status.tcp_routes.insert("infra/r".parse().unwrap(), RouteStatus { parents: Vec::new() });
    });
    assert_summary(
        &with_status.since(&before),
        "changes applied: objects added: 1 (Service default/other); routes and listeners are the \
         same",
    );
    let route = before.clone().objects(|objects| drop(objects.insert(tcp_route("r", 1))));
    assert_eq!(route.since(&before).importance(), Some(Importance::Effect));
    assert_eq!(before.since(&before).importance(), None);
}

#[test]
fn first_summary_contains_numbers() {
    let state = State::default()
        .objects(|objects| objects.extend([service("a"), service("b")]))
        .listener("db", 1, route("db", &["10.0.0.1:1"]))
        .listener("idle", 2, None)
        .problems(&["a.yaml:1:1: wrong"]);
    let plan = PlanChanges::between(&Plan::default(), &state.plan);
    assert_summary(
        &Summary::new(None, &state.report, plan),
        "started: objects: 2; routes in use: 1 (TCPRoute/infra/db: 1 endpoint +10.0.0.1:1); listeners \
         opened: 2 (infra/edge/db, infra/edge/idle); listeners without a route: 1 \
         (infra/edge/idle); problems remaining: 1",
    );
    let empty = Summary::new(None, &Report::default(), PlanChanges::default());
    assert_summary(&empty, "started: objects: 0");
}

#[test]
fn summary_of_many_changes_is_short() {
    let mut state = State::default();
    for index in 0..10_000_u16 {
        let endpoints: Vec<_> = (0..10).map(|last| format!("[2001:db8::{last}]:1")).collect();
        let endpoints: Vec<_> = endpoints.iter().map(String::as_str).collect();
        let name = format!("team-with-a-long-name-{index}");
        state = state
            .listener(&name, index, route(&name, &endpoints))
            .objects(|objects| drop(objects.insert(service(&name))));
        state.report.problems.push(format!("{name}: {}", "wrong ".repeat(100)));
    }
    let empty = State::default();
    let mut other = State::default();
    for index in 0..10_000_u16 {
        other = other.listener(&format!("other-{index}"), index, None);
    }
    for summary in [state.since(&empty), empty.since(&state), other.since(&state)] {
        assert!(summary.to_string().len() < 2_048, "{}", summary.to_string().len());
        assert!(summary.to_string().contains("and 9995 more"), "{summary}");
    }
}
