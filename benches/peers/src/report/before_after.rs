//! Comparison of sluicegate with another build of it, `baseline`, figure by figure.

use super::table::Table;
use crate::figure::three_digits;
use crate::peers::{BASELINE, OURS};
use crate::results::{Estimate, Results};
use crate::scenario::Scenario;

/// Returns the table, or `None` if no baseline was measured.
pub(super) fn table(results: &Results, scenarios: &[Scenario]) -> Option<Table> {
    let head = ["scenario", "figure", "before", "after", "change", "spread", "verdict"];
    let mut table = Table::with_head(head.map(str::to_owned).into());
    let mut is_empty = true;
    for scenario in scenarios {
        for figure in scenario.figures() {
            let estimate = |proxy| results.estimate(*scenario, proxy, *figure);
            let (Some(before), Some(after)) = (estimate(BASELINE), estimate(OURS)) else {
                continue;
            };
            let (change, spread) = (change(before, after), spread(before, after));
            let verdict = change
                .zip(spread)
                .map(|(change, spread)| verdict(change, spread, figure.lower_is_better()));
            table.push(vec![
                scenario.name(),
                figure.title().to_owned(),
                three_digits(before.median),
                three_digits(after.median),
                change.map_or_else(dash, |change| format!("{:+.0}%", 100.0 * change)),
                spread.map_or_else(dash, |spread| format!("±{:.0}%", 100.0 * spread)),
                verdict.map_or_else(dash, str::to_owned),
            ]);
            is_empty = false;
        }
    }
    (!is_empty).then_some(table)
}

fn dash() -> String {
    "-".to_owned()
}

/// Returns the change of the median relative to the median before, or `None` if that is 0.
fn change(before: Estimate, after: Estimate) -> Option<f64> {
    (before.median != 0.0).then(|| after.median / before.median - 1.0)
}

/// Returns the larger of the two spreads, or `None` if a single round has none.
fn spread(before: Estimate, after: Estimate) -> Option<f64> {
    (before.rounds.min(after.rounds) > 1).then(|| before.spread().max(after.spread()))
}

fn verdict(change: f64, spread: f64, lower_is_better: bool) -> &'static str {
    if change.abs() <= spread {
        "within spread"
    } else if (change < 0.0) == lower_is_better {
        "better"
    } else {
        "worse"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    const SCENARIO: Scenario = Scenario::Connect { at_a_time: 16 };

    fn results(samples: &[(&'static str, Figure, &[f64])]) -> Results {
        let mut results = Results::of(vec![OURS, BASELINE]);
        for (proxy, figure, rounds) in samples {
            for (round, value) in rounds.iter().enumerate() {
                results.add(SCENARIO, proxy, round, [(*figure, *value)].into());
            }
        }
        results
    }

    #[test]
    fn before_after_compares_change_with_larger_spread() {
        let verdict = |figure, before: &[f64], after: &[f64]| {
            let results = results(&[(BASELINE, figure, before), (OURS, figure, after)]);
            let table = table(&results, &[SCENARIO]).unwrap().aligned();
            table.trim_end().rsplit("   ").next().unwrap().trim().to_owned()
        };
        let cpu = Figure::CpuMicrosPerConnection;
        let rate = Figure::ConnectionsPerSecond;
        assert_eq!(verdict(cpu, &[99.0, 100.0, 101.0], &[119.0, 120.0, 121.0]), "worse");
        assert_eq!(verdict(rate, &[99.0, 100.0, 101.0], &[119.0, 120.0, 121.0]), "better");
        assert_eq!(verdict(cpu, &[99.0, 100.0, 101.0], &[79.0, 80.0, 81.0]), "better");
        assert_eq!(verdict(rate, &[99.0, 100.0, 101.0], &[79.0, 80.0, 81.0]), "worse");
        assert_eq!(verdict(cpu, &[70.0, 100.0, 130.0], &[119.0, 120.0, 121.0]), "within spread");
    }

    #[test]
    fn before_after_has_no_verdict_on_one_round_or_zero() {
        let cells = |before: &[f64], after: &[f64]| {
            let figure = Figure::P50Micros;
            let results = results(&[(BASELINE, figure, before), (OURS, figure, after)]);
            let table = table(&results, &[SCENARIO]).unwrap().aligned();
            let row = table.lines().last().unwrap().rsplit_once(" µs").unwrap().1.to_owned();
            row.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(cells(&[100.0], &[110.0]), "100 110 +10% - -");
        assert_eq!(cells(&[0.0, 0.0], &[1.0, 1.0]), "0 1.00 - ±0% -");
    }

    #[test]
    fn before_after_needs_both_programs() {
        let only_ours = results(&[(OURS, Figure::P50Micros, &[1.0])]);
        assert!(table(&only_ours, &[SCENARIO]).is_none());
        let only_baseline = results(&[(BASELINE, Figure::P50Micros, &[1.0])]);
        assert!(table(&only_baseline, &[SCENARIO]).is_none());
    }
}
