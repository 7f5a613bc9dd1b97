//! A whole gateway: from the change of an object to the report about it.

use std::time::Duration;

use sluicegate::Server;
use sluicegate::model::*;
use sluicegate::sources::MemorySource;
use tokio::runtime::Builder;

use crate::plans::settings;
use crate::support::{free_port, own_address};
use crate::{Scale, median, milliseconds, possible, row, timed};

/// As many as a Gateway may have.
const LISTENERS_PER_GATEWAY: usize = 64;

pub(super) fn measure(scale: Scale, descriptors: usize) {
    println!("\nServer with a MemorySource: from changing an object to the report.");
    println!("Translating and comparing whole snapshots is most of it.\n");
    row(&[&"listeners", &"workers", &"start", &"change one"]);
    for listeners in scale.listeners {
        measure_one(possible(listeners, 1, descriptors), scale.changes);
    }
}

fn measure_one(listeners: usize, changes: usize) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let source = MemorySource::new(objects(listeners));
    let builder = Server::builder().source(source.clone()).bind(own_address()).forward(settings(1));
    let (opening, handle) = timed(|| runtime.block_on(builder.start()).unwrap());
    let report = handle.report();
    assert_eq!(
        report.listeners.values().filter(|report| report.bind_errors.is_empty()).count(),
        listeners
    );
    let mut reports = handle.reports();
    let mut next = || runtime.block_on(reports.next()).unwrap();
    next();

    let changing = (0..changes).map(|turn| {
        let endpoint = format!("127.0.0.{}", 2 + turn % 2).parse().unwrap();
        timed(|| {
            source.update(|objects| {
                let service = objects.services.values().next().unwrap().clone();
                objects.insert(EndpointSlice::new(&service, port(80), [endpoint]));
            });
            next()
        })
        .0
    });
    let changing = changing.collect();
    row(&[&listeners, &1, &milliseconds(opening), &milliseconds(median(changing))]);
    runtime.block_on(handle.drain(Duration::ZERO));
}

fn objects(listeners: usize) -> Resources {
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new(name("bench"), "example.com/bench".parse().unwrap()));
    let numbers: Vec<_> = (0..listeners).collect();
    for numbers in numbers.chunks(LISTENERS_PER_GATEWAY) {
        let gateway = name(&format!("gateway-{:05}", numbers[0]));
        let listeners = numbers.iter().map(|number| {
            Listener::tcp(format!("listener-{number:05}").parse().unwrap(), port(free_port()))
        });
        objects.insert(Gateway::new(
            ObjectMeta::named(gateway.clone()),
            name("bench"),
            listeners.collect(),
        ));
        for number in numbers {
            let route = name(&format!("route-{number:05}"));
            let service = Service::new(ObjectMeta::named(route.clone()), port(80));
            let parent = ParentRef {
                section_name: Some(format!("listener-{number:05}").parse().unwrap()),
                ..ParentRef::gateway(gateway.clone())
            };
            let backends = vec![BackendRef::service(route.clone(), port(80))];
            objects.insert(TcpRoute::new(ObjectMeta::named(route), vec![parent], backends));
            objects.insert(EndpointSlice::new(&service, port(80), ["127.0.0.1".parse().unwrap()]));
            objects.insert(service);
        }
    }
    objects
}

fn name(name: &str) -> ObjectName {
    name.parse().unwrap()
}

fn port(port: u16) -> PortNumber {
    PortNumber::try_from(port).unwrap()
}
