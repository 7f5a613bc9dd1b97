//! Distribution of the live connections of a listener over workers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use sluicegate::forward::Forwarder;
use socket2::SockRef;
use tokio::runtime::Builder;

use crate::plans::{ANY, id, plan, settings, to};
use crate::{Scale, row};

pub(super) fn measure(scale: Scale) {
    println!(
        "\nLive connections of a listener on the workers with the fewest and the most of them:"
    );
    println!("after all are opened at once, and after half of them are replaced. Worst of all.\n");
    row(&[&"workers", &"connections", &"times", &"opened", &"replaced"]);
    let backend = hold_connections();
    for workers in [2, 4] {
        for (connections, times) in scale.spread {
            let spreads: Vec<_> =
                (0..times).map(|_| spread(workers, connections, backend)).collect();
            let worst = |phase: usize| {
                let of_phase = spreads.iter().map(|phases| phases[phase]);
                let (fewest, most) = of_phase.max_by_key(|(fewest, most)| most - fewest).unwrap();
                format!("{fewest} to {most}")
            };
            row(&[&workers, &connections, &times, &worst(0), &worst(1)]);
        }
    }
}

/// Starts a backend that keeps its connections open.
fn hold_connections() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // The length of the queue: all connections of a listener come at once.
    SockRef::from(&listener).listen(4096).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(|| std::io::copy(&mut stream.unwrap(), &mut std::io::sink()));
        }
    });
    address
}

/// Returns the fewest and the most connections of a worker: after all are opened, and after half of
/// them are replaced.
fn spread(workers: usize, connections: usize, backend: SocketAddr) -> [(u64, u64); 2] {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut forwarder = Forwarder::start(settings(workers)).unwrap();
    let plan = plan([("tcp", ANY, to(&[backend]))]);
    let address = runtime.block_on(forwarder.apply(&plan)).bound[&id("tcp")][0];
    let open = |count| (0..count).map(move |_| TcpStream::connect(address).unwrap());
    let mut clients: Vec<_> = open(connections).collect();
    let opened = wait_for(&forwarder, connections);
    fastrand::shuffle(&mut clients);
    for client in clients.drain(..connections / 2) {
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    }
    wait_for(&forwarder, connections - connections / 2);
    clients.extend(open(connections / 2));
    [opened, wait_for(&forwarder, connections)]
}

/// Waits until there are so many connections, and returns the fewest and the most of a worker.
fn wait_for(forwarder: &Forwarder, connections: usize) -> (u64, u64) {
    loop {
        let by_worker = forwarder.counters().by_worker(&id("tcp")).unwrap();
        let active = || by_worker.iter().map(|worker| worker.active());
        if active().sum::<u64>() == connections as u64 {
            return (active().min().unwrap(), active().max().unwrap());
        }
        thread::sleep(Duration::from_millis(1));
    }
}
