//! Performance targets of sluicegate relative to peers with default settings, and comparison with
//! peers that are tuned.

use super::table::Table;
use crate::figure::{Figure, three_digits};
use crate::peers::{FLOOR, OURS};
use crate::results::Results;
use crate::scenario::Scenario;

/// What is held to a bound.
#[derive(Clone, Copy)]
enum Bound {
    /// The ratio to the best of the other proxies.
    Ratio(f64),
    /// The ratio to the least that a proxy can do.
    Floor(f64),
    /// The figure itself.
    Value(f64),
}

fn targets(scenarios: &[Scenario]) -> impl Iterator<Item = (Scenario, Figure, Bound)> {
    scenarios.iter().flat_map(|scenario| {
        let bounds: &[_] = match scenario {
            Scenario::Download { connections: 16 } => {
                &[(Figure::CpuSecondsPerGib, Bound::Ratio(0.35))]
            }
            Scenario::Download { connections: 1 } => {
                &[(Figure::CpuSecondsPerGib, Bound::Ratio(0.6))]
            }
            Scenario::Upload { connections: 4 } => &[(Figure::CpuSecondsPerGib, Bound::Ratio(0.5))],
            Scenario::RoundTrip { bytes: 64, connections: 64 } => &[
                (Figure::CpuMicrosPerRoundTrip, Bound::Ratio(0.94)),
                (Figure::CpuMicrosPerRoundTrip, Bound::Floor(1.1)),
            ],
            Scenario::RoundTrip { bytes: 64, connections: 1000 } => {
                &[(Figure::CpuMicrosPerRoundTrip, Bound::Ratio(0.92))]
            }
            Scenario::Connect { at_a_time: 16 } => &[
                (Figure::CpuMicrosPerConnection, Bound::Ratio(1.0)),
                (Figure::CpuMicrosPerConnection, Bound::Floor(1.15)),
            ],
            Scenario::Connect { at_a_time: 256 } => {
                &[(Figure::CpuMicrosPerConnection, Bound::Ratio(1.05))]
            }
            Scenario::Mixed { .. } => &[(Figure::P99Micros, Bound::Ratio(1.0))],
            Scenario::Idle { .. } => &[(Figure::ProxyKib, Bound::Value(2.0))],
            _ => &[],
        };
        bounds.iter().map(|(figure, bound)| (*scenario, *figure, *bound))
    })
}

pub(super) fn table(results: &Results, scenarios: &[Scenario]) -> Table {
    let head = ["scenario", "figure", "target", "as they come", "met", "tuned as well"];
    let mut table = Table::with_head(head.map(str::to_owned).into());
    for (scenario, figure, bound) in targets(scenarios) {
        let (bound, name, measured, tuned) = match bound {
            Bound::Ratio(bound) => {
                let name = format!("{}, ratio to best peer", figure.title());
                let measured = results.ratio_to_untuned(scenario, OURS, figure);
                (bound, name, measured, results.ratio(scenario, OURS, figure))
            }
            Bound::Floor(bound) => {
                let name = format!("{}, ratio to {FLOOR}", figure.title());
                (bound, name, results.ratio_to_one(scenario, OURS, FLOOR, figure), None)
            }
            Bound::Value(bound) => {
                let estimate = results.estimate(scenario, OURS, figure);
                let measured = estimate.map(|estimate| estimate.median);
                (bound, figure.title().to_owned(), measured, None)
            }
        };
        let (shown, met) = match measured {
            Some(measured) if measured <= bound => (three_digits(measured), "yes"),
            Some(measured) => (three_digits(measured), "no"),
            None => ("-".to_owned(), "-"),
        };
        let tuned = tuned.map_or_else(|| "-".to_owned(), three_digits);
        table.push(vec![
            scenario.title(),
            name,
            format!("≤ {bound}"),
            shown,
            met.to_owned(),
            tuned,
        ]);
    }
    table
}
