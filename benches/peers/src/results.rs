//! The figures of all slices, and the comparison of the proxies.

use serde::Serialize;

use crate::figure::{Figure, Figures};
use crate::peers::{TUNED, is_other_proxy};
use crate::scenario::Scenario;

/// The figures of one slice, as they were taken.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) scenario: String,
    pub(crate) proxy: &'static str,
    pub(crate) round: usize,
    pub(crate) figures: Figures,
}

#[derive(Debug)]
pub(crate) struct Results {
    /// Proxies that take part, in the order of the report.
    proxies: Vec<&'static str>,
    pub(crate) samples: Vec<Sample>,
}

/// Estimate of a figure from all rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) rounds: usize,
}

impl Estimate {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        Some(Self { median, low, high, rounds: values.len() })
    }

    /// Returns half of the difference between the lowest and the highest, relative to the median.
    pub(crate) fn spread(self) -> f64 {
        match self.median {
            0.0 => 0.0,
            median => (self.high - self.low) / 2.0 / median.abs(),
        }
    }
}

impl Results {
    pub(crate) fn of(proxies: Vec<&'static str>) -> Self {
        Self { proxies, samples: Vec::new() }
    }

    pub(crate) fn add(
        &mut self,
        scenario: Scenario,
        proxy: &'static str,
        round: usize,
        figures: Figures,
    ) {
        self.samples.push(Sample { scenario: scenario.name(), proxy, round, figures });
    }

    /// The proxies that were measured in a scenario.
    pub(crate) fn proxies(&self, scenario: Scenario) -> Vec<&'static str> {
        let name = scenario.name();
        let measured = |proxy: &&str| {
            self.samples.iter().any(|sample| sample.scenario == name && sample.proxy == *proxy)
        };
        self.proxies.iter().copied().filter(measured).collect()
    }

    pub(crate) fn estimate(
        &self,
        scenario: Scenario,
        proxy: &str,
        figure: Figure,
    ) -> Option<Estimate> {
        let name = scenario.name();
        let samples = self.samples.iter();
        let of_both = samples.filter(|sample| sample.scenario == name && sample.proxy == proxy);
        Estimate::of(of_both.filter_map(|sample| sample.figures.get(&figure).copied()).collect())
    }

    /// Returns the ratio of a proxy's median to that of the best of the other proxies:
    /// all except sluicegate, in any build, `tokio`, `floor` and `direct`.
    pub(crate) fn ratio(&self, scenario: Scenario, proxy: &str, figure: Figure) -> Option<f64> {
        self.ratio_to(is_other_proxy, scenario, proxy, figure)
    }

    /// Returns the same ratio to the best proxy with default settings.
    pub(crate) fn ratio_to_untuned(
        &self,
        scenario: Scenario,
        proxy: &str,
        figure: Figure,
    ) -> Option<f64> {
        self.ratio_to(|peer| is_other_proxy(peer) && peer != TUNED, scenario, proxy, figure)
    }

    /// Returns the ratio to one other proxy.
    pub(crate) fn ratio_to_one(
        &self,
        scenario: Scenario,
        proxy: &str,
        other: &str,
        figure: Figure,
    ) -> Option<f64> {
        self.ratio_to(|peer| peer == other, scenario, proxy, figure)
    }

    fn ratio_to(
        &self,
        counts: impl Fn(&str) -> bool,
        scenario: Scenario,
        proxy: &str,
        figure: Figure,
    ) -> Option<f64> {
        let median = |proxy: &str| Some(self.estimate(scenario, proxy, figure)?.median);
        let peers = self.proxies(scenario).into_iter().filter(|proxy| counts(proxy));
        let medians = peers.filter_map(median);
        let best = match figure.lower_is_better() {
            true => medians.min_by(f64::total_cmp),
            false => medians.max_by(f64::total_cmp),
        };
        // A ratio to 0 is not defined.
        let best = best.filter(|best| *best > 0.0)?;
        Some(median(proxy)? / best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::{BASELINE, DIRECT, OURS};

    #[test]
    fn estimate_has_median_and_spread() {
        let estimate = Estimate::of(vec![4.0, 1.0, 2.0]).unwrap();
        assert_eq!(estimate, Estimate { median: 2.0, low: 1.0, high: 4.0, rounds: 3 });
        assert_eq!(estimate.spread(), 0.75);
        assert_eq!(Estimate::of(vec![1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(Estimate::of(Vec::new()), None);
    }

    #[test]
    fn ratio_compares_with_best_other_peer() {
        let mut results = Results::of(vec![OURS, "one", "other"]);
        let scenario = Scenario::Download { connections: 1 };
        for (proxy, cpu, rate) in [(OURS, 1.0, 9.0), ("one", 2.0, 3.0), ("other", 4.0, 6.0)] {
            let figures = [(Figure::CpuSecondsPerGib, cpu), (Figure::GibPerSecond, rate)];
            results.add(scenario, proxy, 0, figures.into());
        }
        assert_eq!(results.ratio(scenario, OURS, Figure::CpuSecondsPerGib), Some(0.5));
        assert_eq!(results.ratio(scenario, OURS, Figure::GibPerSecond), Some(1.5));
        assert_eq!(results.ratio(scenario, "other", Figure::CpuSecondsPerGib), Some(2.0));
    }

    #[test]
    fn ratio_leaves_out_direct_and_baseline() {
        let mut results = Results::of(vec![OURS, BASELINE, "one", "other", DIRECT]);
        let scenario = Scenario::FirstAnswer { at_a_time: 1 };
        for (proxy, time) in [(OURS, 2.0), (BASELINE, 1.5), ("one", 4.0), ("other", 8.0)] {
            results.add(scenario, proxy, 0, [(Figure::P50Micros, time)].into());
        }
        results.add(scenario, DIRECT, 0, [(Figure::P50Micros, 1.0)].into());
        let ratio = |proxy| results.ratio(scenario, proxy, Figure::P50Micros);
        assert_eq!(ratio(OURS), Some(0.5));
        assert_eq!(ratio(BASELINE), Some(0.375));
        assert_eq!(ratio(DIRECT), Some(0.25));
        assert_eq!(results.ratio_to_untuned(scenario, OURS, Figure::P50Micros), Some(0.5));
        assert_eq!(results.ratio(scenario, DIRECT, Figure::CpuMicrosPerConnection), None);
    }
}
