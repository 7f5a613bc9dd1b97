//! Distribution of the connections of a listener over two workers. The kernel chooses the worker by
//! a hash of addresses and ports, so the distribution is about binomial.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use sluicegate::forward::Forwarder;
use sluicegate::plan::Routing;
use tokio::runtime::Builder;

use crate::plans::{ANY, id, plan, settings};
use crate::{Scale, median, row};

pub(super) fn measure(scale: Scale) {
    println!("\nShare of the first of two workers in the connections of a listener.");
    println!("Deviation: standard, from a half; binomial: that of a binomial distribution.\n");
    row(&[&"connections", &"times", &"least", &"median", &"most", &"deviation", &"binomial"]);
    for (connections, times) in scale.spread {
        let shares: Vec<_> = (0..times).map(|_| share(connections)).collect();
        let deviations = shares.iter().map(|share| (share - 0.5).powi(2));
        let deviation = (deviations.sum::<f64>() / times as f64).sqrt();
        // In whole connections, which can be sorted.
        let counts: Vec<_> =
            shares.iter().map(|share| (share * connections as f64).round() as usize).collect();
        let percent = |count: usize| format!("{:.1} %", 100.0 * count as f64 / connections as f64);
        row(&[
            &connections,
            &times,
            &percent(*counts.iter().min().unwrap()),
            &percent(median(counts.clone())),
            &percent(*counts.iter().max().unwrap()),
            &format!("{:.1} %", 100.0 * deviation),
            &format!("{:.1} %", 100.0 * 0.5 / (connections as f64).sqrt()),
        ]);
    }
}

/// The first worker's share of so many connections to a new listener.
fn share(connections: usize) -> f64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut forwarder = Forwarder::start(settings(2)).unwrap();
    let plan = plan([("tcp", ANY, Routing::Unrouted)]);
    let address = runtime.block_on(forwarder.apply(&plan)).bound[&id("tcp")][0];
    // They are reset as soon as a worker has them, which may be before the client knows.
    let clients: Vec<_> = (0..connections).map(|_| TcpStream::connect(address)).collect();
    let accepted = loop {
        let by_worker = forwarder.counters().by_worker(&id("tcp")).unwrap();
        let accepted: Vec<_> = by_worker.iter().map(|worker| worker.accepted).collect();
        if accepted.iter().sum::<u64>() == connections as u64 {
            break accepted;
        }
        thread::sleep(Duration::from_millis(1));
    };
    drop(clients);
    accepted[0] as f64 / connections as f64
}
