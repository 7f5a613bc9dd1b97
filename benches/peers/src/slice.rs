//! One slice: one proxy in one scenario, for a short time.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::{Instant, timeout, timeout_at};

use crate::backends::{Backend, TWO_WRITES_PART, TWO_WRITES_REQUEST};
use crate::figure::{Figure, Figures};
use crate::instance::Instance;
use crate::load::{Counts, Exchange, Load, connects, download, hold, round_trips, upload};
use crate::scenario::{SMALL, Scenario};
use crate::usage::{cpu_between, kernel_memory};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// How long a load runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(250);

/// Warm-up of loads with a maximum number of connections. It is shorter, so that most of them are
/// measured.
const WARM_UP_OF_CONNECTIONS: Duration = Duration::from_millis(100);

/// Maximum time of a slice besides its measurement.
const SLICE_OVERHEAD: Duration = Duration::from_secs(60);

/// Runs a scenario against an idle proxy, and waits until the proxy is idle again.
pub(crate) async fn run(
    scenario: Scenario,
    instance: &mut Instance,
    length: Duration,
) -> anyhow::Result<Figures> {
    let slice = async {
        if scenario.has_short_connections() {
            instance.wait_for_ports().await;
        }
        let outcome = match scenario {
            Scenario::Idle { connections } => idle(instance, connections).await?,
            _ => busy(scenario, instance, length).await?,
        };
        instance.at_rest().await?;
        if scenario.has_short_connections() {
            instance.record_port_use();
        }
        Ok(outcome)
    };
    timeout(2 * length + SLICE_OVERHEAD, slice).await?
}

async fn busy(
    scenario: Scenario,
    instance: &Instance,
    length: Duration,
) -> anyhow::Result<Figures> {
    let mut loads = loads(scenario, instance).await?;
    let warm_up = match scenario.has_short_connections() {
        true => WARM_UP_OF_CONNECTIONS,
        false => WARM_UP,
    };
    pass(&mut loads, warm_up.min(length)).await?;

    let before = instance.cpu_times()?;
    loads.iter().for_each(|load| drop(load.tally().take()));
    let start = Instant::now();
    // Longer if the machine is so busy that nothing was counted.
    pass(&mut loads, length).await?;
    while loads.iter().any(|load| load.tally().is_empty()) {
        anyhow::ensure!(
            loads.iter().all(Load::is_running),
            "all connections of the load were made before the measurement began"
        );
        pass(&mut loads, length).await?;
    }
    let counts: Vec<Counts> = loads.iter().map(|load| load.tally().take()).collect();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_between(&before, &instance.cpu_times()?).as_secs_f64();

    let units: Vec<f64> = counts.iter().map(|counts| counts.units as f64).collect();
    let latencies = counts.into_iter().next().unwrap_or_default().latencies;
    let value = |figure: Figure| match figure {
        Figure::CpuSecondsPerGib => cpu * GIB / units[0],
        Figure::CpuMicrosPerRoundTrip | Figure::CpuMicrosPerConnection => cpu * 1e6 / units[0],
        Figure::RoundTripsPerSecond | Figure::ConnectionsPerSecond => units[0] / seconds,
        // Beside round trips, the bytes are those of the second load.
        Figure::GibPerSecond => units[units.len() - 1] / GIB / seconds,
        _ => micros(&latencies, figure),
    };
    let figures = scenario.figures().iter().copied();
    let measured = figures.filter(|figure| instance.has_proxy() || !figure.is_cost_of_proxy());
    Ok(measured.map(|figure| (figure, value(figure))).collect())
}

/// Starts the load that is measured, followed by the load beside it.
async fn loads(scenario: Scenario, instance: &Instance) -> anyhow::Result<Vec<Load>> {
    let echo = instance.address(Backend::Echo);
    let source = instance.address(Backend::Source);
    let sink = instance.address(Backend::Sink);
    Ok(vec![match scenario {
        Scenario::Download { connections } => {
            Load::start(move |tally, ready| download(source, connections, tally, ready)).await?
        }
        Scenario::Upload { connections } => {
            Load::start(move |tally, ready| upload(sink, connections, tally, ready)).await?
        }
        Scenario::RoundTrip { bytes, connections } => {
            Load::start(move |tally, ready| round_trips(echo, connections, bytes, tally, ready))
                .await?
        }
        Scenario::Connect { at_a_time } => {
            let exchange = Exchange { request: SMALL, answer: SMALL };
            Load::start(move |tally, ready| connects(echo, exchange, at_a_time, tally, ready))
                .await?
        }
        Scenario::FirstAnswer { at_a_time } => {
            let backend = instance.address(Backend::TwoWrites);
            let exchange = Exchange { request: TWO_WRITES_REQUEST, answer: 2 * TWO_WRITES_PART };
            Load::start(move |tally, ready| connects(backend, exchange, at_a_time, tally, ready))
                .await?
        }
        Scenario::Idle { connections } => {
            Load::start(move |_, ready| hold(echo, connections, ready)).await?
        }
        Scenario::Mixed { downloads, connections } => {
            let front = Load::start(move |tally, ready| {
                round_trips(echo, connections, SMALL, tally, ready)
            });
            let front = front.await?;
            let beside = Load::start(move |tally, ready| download(source, downloads, tally, ready));
            return Ok(vec![front, beside.await?]);
        }
    }])
}

/// Waits for `length`, or less if the loads end before.
async fn pass(loads: &mut [Load], length: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + length;
    for load in &mut *loads {
        // A load that ends early has failed, or has made its maximum of connections.
        if let Ok(ended) = timeout_at(end, load.ended()).await {
            ended?;
        }
    }
    Ok(())
}

async fn idle(instance: &Instance, connections: usize) -> anyhow::Result<Figures> {
    let before = (instance.holdings()?, kernel_memory()?);
    let load = loads(Scenario::Idle { connections }, instance).await?;
    instance.at_rest().await?;
    let after = (instance.holdings()?, kernel_memory()?);
    drop(load);

    let each = |before: u64, after: u64| (after as f64 - before as f64) / connections as f64;
    let figures = [
        (Figure::ProxyKib, each(before.0.memory, after.0.memory) / 1024.0),
        (Figure::KernelKib, each(before.1, after.1) / 1024.0),
        (Figure::PipeKib, each(before.0.pipes, after.0.pipes) / 1024.0),
        (Figure::Descriptors, each(before.0.descriptors, after.0.descriptors)),
    ];
    Ok(figures.into())
}

/// Returns a quantile of latencies in nanoseconds.
fn micros(latencies: &Histogram<u64>, figure: Figure) -> f64 {
    let quantile = figure.quantile().expect("a figure of latency");
    latencies.value_at_quantile(quantile) as f64 / 1000.0
}
