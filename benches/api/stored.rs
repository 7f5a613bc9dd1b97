//! The objects of a large gateway: start, memory and writes.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::JSON;
use crate::gateway_process::GatewayProcess;
use crate::objects::{ApiObject, cluster_objects, create, create_namespace};
use crate::support::own_address;
use crate::{Scale, milliseconds, percentile, writes};

/// Time until all status is in the file: ephemeral changes are written 5 s later.
const STATUS_DELAY: Duration = Duration::from_secs(6);

/// Kinds of objects of a route: the route, its Service and EndpointSlice.
const OBJECTS_PER_ROUTE: usize = 3;

pub(crate) fn measure(scale: Scale) {
    let data = TempDir::new().unwrap();
    let address = own_address();
    let gateway = GatewayProcess::start(data.path(), address);
    create_namespace(&gateway.endpoint);
    let objects = cluster_objects(scale.objects / OBJECTS_PER_ROUTE);
    create(&gateway.endpoint, &objects, 64);
    let is_measured = scale.repetitions > 1;
    if is_measured {
        thread::sleep(STATUS_DELAY);
    }
    gateway.stop();
    let count = |kind: &str| objects.iter().filter(|object| object.kind() == kind).count();
    println!(
        "\nobjects: {}; {} TCPRoutes, Services and EndpointSlices each, {} Gateways; file {} KiB",
        objects.len(),
        count("TCPRoute"),
        count("Gateway"),
        file_size(&data.path().join("store")) / 1024
    );

    println!("{:24} {:>16} {:>16}", "start", "first answer", "listeners open");
    let is_stopped = [("after a stop", true), ("after SIGKILL", false)];
    let mut starts = is_stopped.map(|_| Vec::new());
    for _ in 0..scale.repetitions {
        for ((_, is_stopped), times) in is_stopped.iter().zip(&mut starts) {
            let (gateway, time) = start(data.path(), address, &objects);
            times.push(time);
            if *is_stopped { gateway.kill() } else { gateway.stop() }
        }
    }
    for ((name, _), times) in is_stopped.iter().zip(&starts) {
        let [answer, ready] = [0, 1].map(|index| {
            let mut times: Vec<_> = times.iter().map(|time| time[index]).collect();
            times.sort_unstable();
            milliseconds(percentile(&times, 50))
        });
        println!("{name:24} {answer:13.1} ms {ready:13.1} ms");
    }

    let (gateway, _) = start(data.path(), address, &objects);
    if is_measured {
        thread::sleep(STATUS_DELAY);
    }
    print_memory(&gateway, "after the start");
    let sync = milliseconds(writes::sync_time(data.path()));
    println!("changes of EndpointSlices; a synced write of 4 KiB to a file takes {sync:.2} ms");
    let slices = objects.iter().filter(|object| object.kind() == "EndpointSlice");
    let slices: Vec<_> = slices.collect();
    writes::measure(&gateway.endpoint, &slices, scale.writing);
    print_memory(&gateway, "after the writes");
    gateway.stop();
}

/// Starts a gateway. Returns the time to the first answer of the API, and until all listeners are
/// open.
fn start(data: &Path, address: IpAddr, objects: &[ApiObject]) -> (GatewayProcess, [Duration; 2]) {
    let start = Instant::now();
    let mut gateway = GatewayProcess::start(data, address);
    let route = objects.iter().find(|object| object.kind() == "TCPRoute").unwrap();
    let body = gateway.endpoint.connect().get(&route.path(), JSON);
    let answer = start.elapsed();
    assert!(!body.is_empty());
    gateway.wait_until_ready();
    (gateway, [answer, start.elapsed()])
}

fn print_memory(gateway: &GatewayProcess, time: &str) {
    if let [Some(memory), Some(largest)] = gateway.memory() {
        println!("resident memory {time}: {memory} MiB, at most {largest} MiB");
    }
}

fn file_size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}
