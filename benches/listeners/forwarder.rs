//! The forwarding engine alone, with plans that were built before.

use std::env;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use sluicegate::forward::Forwarder;
use sluicegate::plan::Plan;
use tokio::runtime::Builder;

use crate::plans::{backend, plan, route, settings};
use crate::support::{free_port, own_address};
use crate::{Scale, median, milliseconds, possible, row, timed};

/// The argument that asks for a row.
const ROW: &str = "--row";

pub(super) fn measure(scale: Scale, descriptors: usize) {
    println!(
        "\nForwarder::apply. Serving: until a connection to the last listener was dealt with."
    );
    println!("Closing: until all are closed. Memory: of the process, without the system's part.");
    println!("A plan shares no memory with the one before; in a copy, only what differs is new.\n");
    row(&[
        &"listeners",
        &"workers",
        &"open all",
        &"serving",
        &"memory each",
        &"change one",
        &"in a copy",
        &"add one",
        &"remove one",
        &"close all",
    ]);
    for listeners in scale.listeners {
        for workers in [1, 2] {
            let listeners = possible(listeners, workers, descriptors);
            alone(&[listeners, workers, scale.changes]);
        }
    }
}

/// Has a row measured by a process that has not used any memory yet.
fn alone(numbers: &[usize]) {
    let this = env::current_exe().unwrap();
    let numbers = numbers.iter().map(ToString::to_string);
    assert!(Command::new(this).arg(ROW).args(numbers).status().unwrap().success());
}

/// Measures a row, where the process was started for that; whether it was.
pub(super) fn is_row() -> bool {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() != Some(ROW) {
        return false;
    }
    let numbers: Vec<_> = arguments.map(|number| number.parse().unwrap()).collect();
    measure_row(numbers[0], numbers[1], numbers[2]);
    true
}

fn measure_row(listeners: usize, workers: usize, changes: usize) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    // They share nothing with each other, like those of manifests that are read anew.
    let ip = own_address();
    let addresses: Vec<_> = (0..=listeners).map(|_| SocketAddr::new(ip, free_port())).collect();
    let first = plan_of(&addresses[1..], 1);
    let plan = plan_of(&addresses[1..], 1);
    let changed = plan_of(&addresses[1..], 2);
    let more = plan_of(&addresses, 1);
    let copies = [&changed, &first].map(|like| copy_like(&first, like));
    let mut forwarder = Forwarder::start(settings(workers)).unwrap();

    let before = memory();
    let (opening, bindings) = timed(|| runtime.block_on(forwarder.apply(&first)));
    assert!(bindings.errors.is_empty(), "{:?}", bindings.errors.first_key_value());
    let (waiting, ()) = timed(|| reset_by(addresses[listeners]));
    let memory = memory().saturating_sub(before) / listeners;

    let mut apply = |plan: &Plan| timed(|| runtime.block_on(forwarder.apply(plan))).0;
    let changing = (0..changes).map(|turn| apply([&changed, &plan][turn % 2])).collect();
    apply(&first);
    let copying = (0..changes).map(|turn| apply(&copies[turn % 2])).collect();
    let (adding, removing) = (0..changes).map(|_| (apply(&more), apply(&plan))).unzip();
    let (closing, ()) = timed(|| runtime.block_on(forwarder.drain(Duration::ZERO)));
    row(&[
        &listeners,
        &workers,
        &milliseconds(opening),
        &milliseconds(opening + waiting),
        &format!("{memory} B"),
        &milliseconds(median(changing)),
        &milliseconds(median(copying)),
        &milliseconds(median(adding)),
        &milliseconds(median(removing)),
        &milliseconds(closing),
    ]);
}

/// Listeners with a route each; nobody is at the endpoints. The last route leads to a host of its
/// own.
fn plan_of(addresses: &[SocketAddr], last_host: u8) -> Plan {
    let last = addresses[addresses.len() - 1];
    let names = addresses.iter().map(|address| (address, format!("listener-{}", address.port())));
    let names: Vec<_> = names.collect();
    plan(names.iter().map(|(address, name)| {
        let host = if **address == last { last_host } else { 1 };
        let endpoint = |port| SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), port));
        let backend = backend(name, 1, &[1, 2, 3].map(endpoint));
        (name.as_str(), **address, route(name, [backend]))
    }))
}

/// A copy of a plan, in which what differs is as in another.
fn copy_like(plan: &Plan, other: &Plan) -> Plan {
    let mut copy = plan.clone();
    let differing =
        other.listeners.iter().filter(|(id, listener)| plan.listeners[*id] != **listener);
    copy.listeners.extend(differing.map(|(id, listener)| (id.clone(), listener.clone())));
    copy
}

/// Connects to an address without a backend, and waits for the reset. The connect can also report
/// the reset.
fn reset_by(address: SocketAddr) {
    let error = TcpStream::connect(address).and_then(|mut client| client.read(&mut [0]));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// Bytes that the process has in memory for itself.
fn memory() -> usize {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
