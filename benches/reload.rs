//! Latency of a change: from the change to the first connection that follows it, and to its status.
//!
//! `cargo bench --bench reload`, or a part of it by name: `-- memory`, `-- file`. With `-- --test`
//! each part runs once at its smallest size, and nothing is measured.
//!
//! Ten routes share a listener with a real socket; the oldest of them carries its traffic. The
//! benchmark switches one of these routes between two backends that send their names. With the file
//! source, all objects are in one file, which each change replaces by a rename.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]
#![allow(clippy::print_stdout, reason = "it is for people to read")]

#[allow(dead_code, reason = "shared with another benchmark")]
mod cluster;
#[path = "../tests/support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use sluicegate::model::{
    BackendRef, EndpointSlice, NamespacedName, Object, Resources, Service, TcpRoute,
};
use sluicegate::plan::Routing;
use sluicegate::sources::{FileSource, MemorySource, Source};
use sluicegate::translate::{Assignments, Settings, translate};
use sluicegate::{Handle, Server};
use tempfile::TempDir;

use cluster::{cluster, metadata, parse, port};
use support::{WAIT_TIMEOUT, backend, name_at, own_address};

const BACKENDS: [&str; 2] = ["blue", "green"];
const MEMORY: [usize; 3] = [10, 1_000, 10_000];
const FILE: [usize; 3] = [2, 60, 1_000];
const EDITS: usize = 40;
/// Between two questions whether a change is followed yet.
const PAUSE: Duration = Duration::from_micros(200);
/// Between two changes, so that nothing of one is left when the next one comes.
const REST: Duration = Duration::from_millis(30);

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let is_measured = arguments.iter().any(|argument| argument == "--bench")
        && !arguments.iter().any(|argument| argument == "--test");
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| name.contains(wanted.as_str()));
    let (edits, sizes) = if is_measured { (EDITS, 3) } else { (1, 1) };

    if is_measured {
        println!("milliseconds from a change to the first connection that follows it, of {edits}");
        println!("                                                                 to the status");
        println!("source  routes  listeners      min   median      p90    worst           median");
    }
    if is_wanted("memory") {
        for routes in &MEMORY[..sizes] {
            memory(*routes, edits);
        }
    }
    if is_wanted("file") {
        for routes in &FILE[..sizes] {
            file(*routes, edits);
        }
    }
}

fn memory(routes: usize, edits: usize) {
    let scene = Scene::new(routes);
    let memory = MemorySource::new(scene.resources.clone());
    let gateway = scene.start(memory.clone());
    let samples = (0..edits).map(|edit| {
        let route = scene.route_to(BACKENDS[edit % 2]);
        scene.sample(&gateway, edit, || memory.update(|objects| drop(objects.insert(route))))
    });
    print("memory", &scene, samples.collect());
}

fn file(routes: usize, edits: usize) {
    let scene = Scene::new(routes);
    let directory = TempDir::new().unwrap();
    let file: PathBuf = directory.path().join("all.yaml");
    fs::write(&file, yaml(&scene.resources)).unwrap();
    let gateway = scene.start(FileSource::new([&file]));
    let samples = (0..edits).map(|edit| {
        let mut objects = scene.resources.clone();
        objects.insert(scene.route_to(BACKENDS[edit % 2]));
        let beside = directory.path().join("all.yaml.new");
        fs::write(&beside, yaml(&objects)).unwrap();
        thread::sleep(REST);
        scene.sample(&gateway, edit, || fs::rename(&beside, &file).unwrap())
    });
    print("file", &scene, samples.collect());
}

fn yaml(resources: &Resources) -> String {
    let document = |object: Object| format!("---\n{}", serde_yaml::to_string(&object).unwrap());
    resources.objects().map(document).collect()
}

/// A cluster at an address of its own, and the route in it that is to be changed.
struct Scene {
    resources: Resources,
    address: IpAddr,
    route: NamespacedName,
    /// Where the route's listener is.
    door: SocketAddr,
    listeners: usize,
}

/// How long it took to follow a change.
struct Sample {
    connection: Duration,
    status: Duration,
}

impl Scene {
    fn new(routes: usize) -> Self {
        let mut resources = cluster(routes);
        for name in BACKENDS {
            let address = backend(name);
            let port = port(address.port().into());
            let service = Service::new(metadata(name, 0), port);
            resources.insert(EndpointSlice::new(&service, port, [address.ip()]));
            resources.insert(service);
        }
        let plan = translate(&resources, &Settings::default(), &Assignments::default()).plan;
        let listener = plan.listeners.values().next().unwrap();
        let Routing::Single(route) = &listener.routing else { panic!("{:?}", listener.routing) };
        let address = own_address();
        let door = SocketAddr::new(address, listener.addresses[0].bind.address.port());
        let route = route.id.name.clone();
        let listeners = plan.listeners.len();
        let mut scene = Self { resources, address, route, door, listeners };
        scene.resources.insert(scene.route_to(BACKENDS[1]));
        scene
    }

    fn start(&self, source: impl Source) -> Handle {
        let start = Server::builder().source(source).bind(self.address).start();
        let gateway = wait(start).unwrap();
        let failed = gateway.listeners().into_values().find(|listener| listener.bound.is_empty());
        assert_eq!(failed, None);
        gateway
    }

    fn route_to(&self, name: &str) -> TcpRoute {
        let mut route = TcpRoute::clone(&self.resources.tcp_routes[&self.route]);
        let service = NamespacedName { name: parse(name), ..self.route.clone() };
        let port = self.resources.services[&service].spec.ports[0].port;
        route.spec.rules[0].backend_refs = vec![BackendRef::service(parse(name), port)];
        route
    }

    /// Makes a change, and waits until it is followed.
    fn sample(&self, gateway: &Handle, edit: usize, change: impl FnOnce()) -> Sample {
        thread::sleep(REST);
        let mut reports = gateway.reports();
        wait(reports.next());
        let start = Instant::now();
        change();
        while name_at(self.door).as_deref() != Some(BACKENDS[edit % 2]) {
            assert!(start.elapsed() < WAIT_TIMEOUT, "the change is not followed");
            thread::sleep(PAUSE);
        }
        let connection = start.elapsed();
        wait(reports.next());
        Sample { connection, status: start.elapsed() }
    }
}

/// A gateway runs on threads of its own; here there is only waiting.
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn print(source: &str, scene: &Scene, samples: Vec<Sample>) {
    let routes = scene.resources.tcp_routes.len();
    if samples.len() < 2 {
        return println!("{source:6} {routes:7}  followed");
    }
    let sorted = |time: fn(&Sample) -> Duration| {
        let mut times: Vec<_> = samples.iter().map(time).collect();
        times.sort_unstable();
        times
    };
    let connection = sorted(|sample| sample.connection);
    let status = sorted(|sample| sample.status);
    let at = |times: &[Duration], percent: usize| {
        times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0
    };
    println!(
        "{source:6} {routes:7} {:10} {:8.1} {:8.1} {:8.1} {:8.1} {:16.1}",
        scene.listeners,
        at(&connection, 0),
        at(&connection, 50),
        at(&connection, 90),
        at(&connection, 100),
        at(&status, 50),
    );
}
