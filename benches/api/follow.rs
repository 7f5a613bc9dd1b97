//! Latency from the answer of a write to the first connection that follows it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluicegate::model::{EndpointSlice, Object, Service};
use tempfile::TempDir;

use crate::client::{JSON, MERGE_PATCH};
use crate::cluster::{ROUTES_PER_LISTENER, metadata, port};
use crate::gateway_process::GatewayProcess;
use crate::objects::{ApiObject, cluster_objects, create, create_namespace};
use crate::support::{WAIT_TIMEOUT, backend, name_at, own_address};
use crate::{Scale, milliseconds, percentile};

const BACKENDS: [&str; 2] = ["blue", "green"];
/// Interval between two connections that check if a change is followed.
const POLL_INTERVAL: Duration = Duration::from_micros(200);
/// Interval between two requests that check if the status of a change is written.
const STATUS_INTERVAL: Duration = Duration::from_millis(10);
/// Pause between the status of a change and the next change. The gateway must be idle then: it
/// pauses after each pass, for at most 100 ms.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) fn measure(scale: Scale) {
    println!(
        "\nfollow: milliseconds from the answer of a write to the first connection that follows \
         it, of {}; and from the request to its answer",
        scale.changes
    );
    println!(
        "{:>7} {:>10} {:>8} {:>8} {:>8} {:>8} {:>10} {:>10}",
        "routes", "listeners", "min", "median", "p90", "worst", "write", "worst"
    );
    for routes in scale.routes {
        measure_one(*routes, scale.changes);
    }
}

/// Switches one of the routes between two backends, which send their names.
fn measure_one(routes: usize, changes: usize) {
    let data = TempDir::new().unwrap();
    let address = own_address();
    let gateway = GatewayProcess::start(data.path(), address);
    create_namespace(&gateway.endpoint);
    let mut objects = Vec::new();
    let mut ports = [0; 2];
    for (name, service_port) in BACKENDS.iter().zip(&mut ports) {
        let backend = backend(name);
        *service_port = backend.port();
        let port = port(backend.port().into());
        let service = Service::new(metadata(name, 0), port);
        let slice = EndpointSlice::new(&service, port, [backend.ip()]);
        objects.push(ApiObject::new(&Object::from(slice)));
        objects.push(ApiObject::new(&Object::from(service)));
    }
    let mut cluster = cluster_objects(routes);
    let first = cluster.iter().position(|object| object.name == "route-0").unwrap();
    // Of the routes of a listener, the oldest carries its traffic.
    objects.push(cluster.swap_remove(first));
    let route = objects.last().unwrap().path();
    create(&gateway.endpoint, &objects, 1);
    create(&gateway.endpoint, &cluster, 64);

    let listener = SocketAddr::new(address, 10_000);
    let mut client = gateway.endpoint.connect();
    let mut write = |index: usize| {
        let backend = json!({"name": BACKENDS[index], "port": ports[index]});
        let patch = json!({"spec": {"rules": [{"backendRefs": [backend]}]}}).to_string();
        let start = Instant::now();
        client.send("PATCH", &route, MERGE_PATCH, patch.as_bytes());
        let answered = Instant::now();
        while name_at(listener).as_deref() != Some(BACKENDS[index]) {
            assert!(answered.elapsed() < WAIT_TIMEOUT, "the change is not followed");
            thread::sleep(POLL_INTERVAL);
        }
        let times = [answered.elapsed(), answered - start];
        while !is_observed(&client.get(&route, JSON)) {
            assert!(answered.elapsed() < WAIT_TIMEOUT, "the status is not written");
            thread::sleep(STATUS_INTERVAL);
        }
        thread::sleep(PAUSE);
        times
    };
    // The objects that were created last are followed.
    write(1);
    let times: Vec<_> = (0..changes).map(|change| write(change % 2)).collect();
    let [followed, written] = [0, 1].map(|index| {
        let mut times: Vec<_> = times.iter().map(|time| time[index]).collect();
        times.sort_unstable();
        [0, 50, 90, 100].map(|percent| milliseconds(percentile(&times, percent)))
    });
    println!(
        "{routes:7} {:10} {:8.1} {:8.1} {:8.1} {:8.1} {:10.1} {:10.1}",
        routes.div_ceil(ROUTES_PER_LISTENER),
        followed[0],
        followed[1],
        followed[2],
        followed[3],
        written[1],
        written[3],
    );
    gateway.stop();
}

/// Returns `true` if the status of a route describes its generation.
fn is_observed(route: &[u8]) -> bool {
    let route: Value = serde_json::from_slice(route).unwrap();
    let mut conditions =
        route["status"]["parents"][0]["conditions"].as_array().into_iter().flatten();
    let generation = &route["metadata"]["generation"];
    conditions.any(|condition| condition["observedGeneration"] == *generation)
}
