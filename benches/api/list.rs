//! Lists of many objects of one kind.

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, JSON, TABLE};
use crate::gateway_process::GatewayProcess;
use crate::objects::{ApiObject, cluster_objects, create, create_namespace};
use crate::support::own_address;
use crate::{Scale, milliseconds, percentile};

/// Size of the pages that kubectl asks for.
const PAGE: usize = 500;

/// Clients that create the objects.
const CREATORS: usize = 64;

pub(crate) fn measure(scale: Scale) {
    let data = TempDir::new().unwrap();
    let gateway = GatewayProcess::start(data.path(), own_address());
    create_namespace(&gateway.endpoint);
    let mut routes = cluster_objects(scale.objects);
    routes.retain(|object| object.kind() == "TCPRoute");
    let collection = routes[0].collection.clone();
    let start = Instant::now();
    create(&gateway.endpoint, &routes, CREATORS);
    let rate = routes.len() as f64 / start.elapsed().as_secs_f64();
    println!("list: {} TCPRoutes, created by {CREATORS} clients, {rate:.0} a second", routes.len());
    println!("{:32} {:>10} {:>10} {:>10}", "form", "median ms", "worst ms", "bytes");

    let mut client = gateway.endpoint.connect();
    for (name, accept, page) in [
        ("JSON", JSON, None),
        ("JSON, pages of 500", JSON, Some(PAGE)),
        ("Table", TABLE, None),
        ("Table, pages of 500 (kubectl get)", TABLE, Some(PAGE)),
        ("YAML", "application/yaml", None),
    ] {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..scale.repetitions {
            let (time, length) = match page {
                None => whole(&mut client, &collection, accept),
                Some(page) => paged(&mut client, &collection, accept, page, &routes),
            };
            times.push(time);
            bytes = length;
        }
        times.sort_unstable();
        let (median, worst) = (percentile(&times, 50), percentile(&times, 100));
        println!("{name:32} {:10.1} {:10.1} {bytes:10}", milliseconds(median), milliseconds(worst));
    }
    if let [Some(memory), Some(largest)] = gateway.memory() {
        println!("resident memory {memory} MiB, at most {largest} MiB");
    }
    gateway.stop();
}

/// Returns the time and the size of a list.
fn whole(client: &mut Client, path: &str, accept: &str) -> (Duration, usize) {
    let start = Instant::now();
    let body = client.get(path, accept);
    (start.elapsed(), body.len())
}

/// Returns the time and the size of a list in pages, without the time to parse them.
fn paged(
    client: &mut Client,
    path: &str,
    accept: &str,
    page: usize,
    expected: &[ApiObject],
) -> (Duration, usize) {
    let (mut time, mut bytes, mut count) = (Duration::ZERO, 0, 0);
    let mut token = String::new();
    loop {
        let start = Instant::now();
        let body = client.get(&format!("{path}?limit={page}&continue={token}"), accept);
        time += start.elapsed();
        bytes += body.len();
        let list: Value = serde_json::from_slice(&body).unwrap();
        let items = list["items"].as_array().or_else(|| list["rows"].as_array());
        count += items.unwrap().len();
        match list["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => token = next.replace('/', "%2F"),
            _ => break,
        }
    }
    assert_eq!(count, expected.len());
    (time, bytes)
}
