//! Durable writes of one or more clients.

use std::fs::OpenOptions;
use std::io::{Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, Endpoint, JSON, MERGE_PATCH};
use crate::objects::ApiObject;
use crate::{milliseconds, percentile};

/// Clients that write at the same time.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// Times of the smallest synced write to a file, for comparison.
const SYNCS: usize = 100;

/// Changes the address of an endpoint of EndpointSlices, for the time `writing`.
pub(crate) fn measure(endpoint: &Endpoint, slices: &[&ApiObject], writing: Duration) {
    println!(
        "{:>8} {:>10} {:>10} {:>10} {:>10}",
        "clients", "writes/s", "median ms", "p99 ms", "worst ms"
    );
    for clients in CLIENTS {
        let connections: Vec<_> = (0..clients)
            .map(|_| {
                let mut client = endpoint.connect();
                // The handshake is part of the first request.
                client.get("/livez", JSON);
                client
            })
            .collect();
        let start = Instant::now();
        let mut times: Vec<_> = thread::scope(|scope| {
            let writers: Vec<_> = (0..)
                .zip(connections)
                .map(|(index, client)| {
                    let own = slices.iter().skip(index).step_by(clients);
                    scope.spawn(move || write(client, own, start + writing))
                })
                .collect();
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
        });
        let rate = times.len() as f64 / start.elapsed().as_secs_f64();
        times.sort_unstable();
        let [median, p99, worst] =
            [50, 99, 100].map(|percent| milliseconds(percentile(&times, percent)));
        println!("{clients:8} {rate:10.0} {median:10.2} {p99:10.2} {worst:10.2}");
    }
}

/// Writes objects in turn until a time. Returns the times until the answers.
fn write<'a>(
    mut client: Client,
    slices: impl Iterator<Item = &'a &'a ApiObject> + Clone,
    end: Instant,
) -> Vec<Duration> {
    let mut times = Vec::new();
    for (turn, slice) in slices.cycle().enumerate() {
        let patch = json!({"endpoints": [
            {"addresses": [format!("10.9.{}.{}", turn / 250 % 250, turn % 250)]}
        ]});
        let (path, patch) = (slice.path(), patch.to_string());
        let start = Instant::now();
        client.send("PATCH", &path, MERGE_PATCH, patch.as_bytes());
        times.push(start.elapsed());
        if Instant::now() >= end {
            break;
        }
    }
    times
}

/// Returns the median time to write 4 KiB to a file and sync it.
pub(crate) fn sync_time(folder: &Path) -> Duration {
    let path = folder.join("sync");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(path).unwrap();
    let mut times: Vec<_> = (0..SYNCS)
        .map(|_| {
            let start = Instant::now();
            file.rewind().unwrap();
            file.write_all(&[0; 4096]).unwrap();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    percentile(&times, 50)
}
