//! The scenarios that are measured.

use std::iter;

use crate::figure::Figure;

/// Bytes of a small message.
pub(crate) const SMALL: usize = 64;
const LARGE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Download { connections: usize },
    Upload { connections: usize },
    RoundTrip { bytes: usize, connections: usize },
    Connect { at_a_time: usize },
    FirstAnswer { at_a_time: usize },
    Idle { connections: usize },
    Mixed { downloads: usize, connections: usize },
}

impl Scenario {
    /// Returns all scenarios, in the order of the report.
    pub(crate) fn all(idle: usize) -> Vec<Self> {
        let bulk = [1, 4, 16];
        let downloads = bulk.into_iter().map(|connections| Self::Download { connections });
        let uploads = bulk.into_iter().map(|connections| Self::Upload { connections });
        let round_trips = [SMALL, LARGE].into_iter().flat_map(|bytes| {
            [1, 64, 1000].into_iter().map(move |connections| Self::RoundTrip { bytes, connections })
        });
        let connects = [16, 256].into_iter().map(|at_a_time| Self::Connect { at_a_time });
        let first_answers = [1, 16].into_iter().map(|at_a_time| Self::FirstAnswer { at_a_time });
        downloads
            .chain(uploads)
            .chain(round_trips)
            .chain(connects)
            .chain(first_answers)
            .chain(iter::once(Self::Idle { connections: idle }))
            .chain(iter::once(Self::Mixed { downloads: 4, connections: 64 }))
            .collect()
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Download { connections } => format!("download-{connections}"),
            Self::Upload { connections } => format!("upload-{connections}"),
            Self::RoundTrip { bytes: LARGE, connections } => {
                format!("round-trip-4KiB-{connections}")
            }
            Self::RoundTrip { bytes, connections } => format!("round-trip-{bytes}B-{connections}"),
            Self::Connect { at_a_time } => format!("connect-{at_a_time}"),
            Self::FirstAnswer { at_a_time } => format!("first-answer-{at_a_time}"),
            Self::Idle { .. } => "idle".to_owned(),
            Self::Mixed { .. } => "mixed".to_owned(),
        }
    }

    pub(crate) fn title(self) -> String {
        match self {
            Self::Download { connections } => format!("download, {}", counted(connections)),
            Self::Upload { connections } => format!("upload, {}", counted(connections)),
            Self::RoundTrip { bytes: LARGE, connections } => {
                format!("4 KiB round trips, {}", counted(connections))
            }
            Self::RoundTrip { bytes, connections } => {
                format!("{bytes} B round trips, {}", counted(connections))
            }
            Self::Connect { at_a_time } => {
                format!("connect, 64 B round trip, close; {at_a_time} at a time")
            }
            Self::FirstAnswer { at_a_time } => {
                format!("first answer in two writes (Nagle); {at_a_time} at a time")
            }
            Self::Idle { connections } => format!("{connections} idle connections"),
            Self::Mixed { downloads, .. } => {
                format!("64 B round trips beside {downloads} downloads")
            }
        }
    }

    /// Returns `true` if clients connect again and again during the measurement.
    pub(crate) fn has_short_connections(self) -> bool {
        matches!(self, Self::Connect { .. } | Self::FirstAnswer { .. })
    }

    /// Returns `true` if the scenario is also measured without a proxy, as a reference for its
    /// latencies. In `mixed`, latency without a proxy is not comparable: downloads and round trips
    /// then do not share a thread.
    pub(crate) fn has_reference(self) -> bool {
        matches!(self, Self::RoundTrip { .. }) || self.has_short_connections()
    }

    /// Returns the figures, the most important one first.
    pub(crate) fn figures(self) -> &'static [Figure] {
        match self {
            Self::Download { .. } | Self::Upload { .. } => {
                &[Figure::CpuSecondsPerGib, Figure::GibPerSecond]
            }
            Self::RoundTrip { .. } => &[
                Figure::CpuMicrosPerRoundTrip,
                Figure::P50Micros,
                Figure::P99Micros,
                Figure::P999Micros,
                Figure::RoundTripsPerSecond,
            ],
            Self::Connect { .. } => &[
                Figure::CpuMicrosPerConnection,
                Figure::P50Micros,
                Figure::P99Micros,
                Figure::P999Micros,
                Figure::ConnectionsPerSecond,
            ],
            Self::FirstAnswer { .. } => &[
                Figure::P50Micros,
                Figure::P99Micros,
                Figure::P999Micros,
                Figure::CpuMicrosPerConnection,
                Figure::ConnectionsPerSecond,
            ],
            Self::Idle { .. } => {
                &[Figure::ProxyKib, Figure::KernelKib, Figure::PipeKib, Figure::Descriptors]
            }
            Self::Mixed { .. } => {
                &[Figure::P50Micros, Figure::P99Micros, Figure::P999Micros, Figure::GibPerSecond]
            }
        }
    }
}

fn counted(connections: usize) -> String {
    match connections {
        1 => "1 connection".to_owned(),
        more => format!("{more} connections"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_names_are_unchanged() {
        let names: Vec<_> = Scenario::all(8000).into_iter().map(Scenario::name).collect();
        let expected = "download-1 download-4 download-16 upload-1 upload-4 upload-16 \
            round-trip-64B-1 round-trip-64B-64 round-trip-64B-1000 \
            round-trip-4KiB-1 round-trip-4KiB-64 round-trip-4KiB-1000 \
            connect-16 connect-256 first-answer-1 first-answer-16 idle mixed";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn scenario_with_reference_has_figures_without_proxy() {
        for scenario in Scenario::all(8000) {
            let figures = scenario.figures();
            let has_latency = figures.iter().any(|figure| figure.quantile().is_some());
            assert!(!scenario.has_reference() || has_latency, "{}", scenario.name());
        }
    }
}
