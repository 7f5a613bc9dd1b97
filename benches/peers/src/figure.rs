//! The figures that are measured in a slice.

use std::collections::BTreeMap;

use serde::Serialize;

/// A measured quantity, named with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Figure {
    CpuSecondsPerGib,
    CpuMicrosPerRoundTrip,
    CpuMicrosPerConnection,
    GibPerSecond,
    RoundTripsPerSecond,
    ConnectionsPerSecond,
    P50Micros,
    P99Micros,
    P999Micros,
    ProxyKib,
    KernelKib,
    PipeKib,
    Descriptors,
}

/// The figures of one slice.
pub(crate) type Figures = BTreeMap<Figure, f64>;

impl Figure {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CpuSecondsPerGib => "CPU s/GiB",
            Self::CpuMicrosPerRoundTrip => "CPU µs/round trip",
            Self::CpuMicrosPerConnection => "CPU µs/connection",
            Self::GibPerSecond => "GiB/s",
            Self::RoundTripsPerSecond => "round trips/s",
            Self::ConnectionsPerSecond => "connections/s",
            Self::P50Micros => "p50 µs",
            Self::P99Micros => "p99 µs",
            Self::P999Micros => "p99.9 µs",
            Self::ProxyKib => "proxy KiB/connection",
            Self::KernelKib => "kernel KiB/connection",
            Self::PipeKib => "pipe KiB/connection",
            Self::Descriptors => "descriptors/connection",
        }
    }

    pub(crate) fn lower_is_better(self) -> bool {
        !matches!(self, Self::GibPerSecond | Self::RoundTripsPerSecond | Self::ConnectionsPerSecond)
    }

    /// Returns `true` if only a process of a proxy has this figure.
    pub(crate) fn is_cost_of_proxy(self) -> bool {
        match self {
            Self::CpuSecondsPerGib
            | Self::CpuMicrosPerRoundTrip
            | Self::CpuMicrosPerConnection
            | Self::ProxyKib
            | Self::KernelKib
            | Self::PipeKib
            | Self::Descriptors => true,
            Self::GibPerSecond
            | Self::RoundTripsPerSecond
            | Self::ConnectionsPerSecond
            | Self::P50Micros
            | Self::P99Micros
            | Self::P999Micros => false,
        }
    }

    /// Returns the quantile if the figure is one of latencies.
    pub(crate) fn quantile(self) -> Option<f64> {
        match self {
            Self::P50Micros => Some(0.5),
            Self::P99Micros => Some(0.99),
            Self::P999Micros => Some(0.999),
            _ => None,
        }
    }
}

/// Formats a number with three significant digits.
pub(crate) fn three_digits(number: f64) -> String {
    let decimals = match number.abs() {
        0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{number:.decimals$}")
}
