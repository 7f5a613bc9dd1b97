//! Duration of a translation with 10 to 10,000 routes.

#[allow(dead_code, reason = "shared with another benchmark")]
mod cluster;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sluicegate::model::Resources;
use sluicegate::translate::{Assignments, Settings, translate};

use cluster::{ROUTES_PER_LISTENER, cluster};

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("translate");
    for routes in [10, 100, 1_000, 10_000] {
        let resources = cluster(routes);
        let (settings, assignments) = (Settings::default(), Assignments::default());
        check(&resources, &settings, routes);
        group.throughput(Throughput::Elements(routes as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(routes),
            &resources,
            |bencher, resources| {
                bencher.iter(|| translate(black_box(resources), &settings, &assignments));
            },
        );
    }
    group.finish();
}

/// What is measured is the real thing: every listener has a route that leads somewhere.
fn check(resources: &Resources, settings: &Settings, routes: usize) {
    let translation = translate(resources, settings, &Assignments::default());
    assert_eq!(translation.status.tcp_routes.len(), routes);
    assert_eq!(translation.plan.listeners.len(), routes.div_ceil(ROUTES_PER_LISTENER));
    assert!(translation.unmanaged.is_empty());
}

criterion_group!(benches, bench);
criterion_main!(benches);
