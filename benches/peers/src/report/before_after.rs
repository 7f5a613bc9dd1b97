//! Comparison of sluicegate with another build of it, `baseline`, figure by figure.

use super::table::Table;
use crate::figure::{Figure, three_digits};
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
            let change = Change::between(before, after);
            table.push(vec![
                scenario.name(),
                figure.title().to_owned(),
                three_digits(before.median),
                three_digits(after.median),
                change.map_or_else(dash, |change| format!("{:+.0}%", 100.0 * change.relative)),
                change.map_or_else(dash, |change| format!("±{:.0}%", 100.0 * change.spread)),
                change.map_or_else(dash, |change| change.verdict(*figure).to_owned()),
            ]);
            is_empty = false;
        }
    }
    (!is_empty).then_some(table)
}

fn dash() -> String {
    "-".to_owned()
}

/// Change of a median, relative to the median before.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    relative: f64,
    /// The larger of the two spreads.
    spread: f64,
}

impl Change {
    /// Returns `None` if the median before is 0.
    fn between(before: Estimate, after: Estimate) -> Option<Self> {
        (before.median != 0.0).then(|| Self {
            relative: after.median / before.median - 1.0,
            spread: before.spread().max(after.spread()),
        })
    }

    fn verdict(self, figure: Figure) -> &'static str {
        if self.relative.abs() <= self.spread {
            "within spread"
        } else if (self.relative < 0.0) == figure.lower_is_better() {
            "better"
        } else {
            "worse"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(verdict(cpu, &[0.0], &[1.0]), "-");
    }

    #[test]
    fn before_after_needs_both_programs() {
        let only_ours = results(&[(OURS, Figure::P50Micros, &[1.0])]);
        assert!(table(&only_ours, &[SCENARIO]).is_none());
        let only_baseline = results(&[(BASELINE, Figure::P50Micros, &[1.0])]);
        assert!(table(&only_baseline, &[SCENARIO]).is_none());
    }
}
