//! The scenarios that are measured.

use std::iter;

use crate::figure::Figure;

/// The payload of the smaller round trips.
const SMALL: usize = 64;
const LARGE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Download { connections: usize },
    Upload { connections: usize },
    RoundTrip { bytes: usize, connections: usize },
    Connect { at_a_time: usize },
    Idle { connections: usize },
    Mixed { downloads: usize, connections: usize },
}

impl Scenario {
    /// Everything, in the order in which it is told.
    pub(crate) fn all(idle: usize) -> Vec<Self> {
        let bulk = [1, 4, 16];
        let downloads = bulk.into_iter().map(|connections| Self::Download { connections });
        let uploads = bulk.into_iter().map(|connections| Self::Upload { connections });
        let round_trips = [SMALL, LARGE].into_iter().flat_map(|bytes| {
            [1, 64, 1000].into_iter().map(move |connections| Self::RoundTrip { bytes, connections })
        });
        let connects = [16, 256].into_iter().map(|at_a_time| Self::Connect { at_a_time });
        downloads
            .chain(uploads)
            .chain(round_trips)
            .chain(connects)
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
            Self::Idle { connections } => format!("{connections} idle connections"),
            Self::Mixed { downloads, .. } => {
                format!("64 B round trips beside {downloads} downloads")
            }
        }
    }

    /// The figures it has, the most telling one first.
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
            Self::Connect { .. } => &[Figure::CpuMicrosPerConnection, Figure::ConnectionsPerSecond],
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
