//! One SVG for each kind of scenario: a panel for each figure of each scenario, with a bar for each
//! proxy.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{
    Color as _, DrawingArea, IntoDrawingArea as _, IntoFont as _, PathElement, RGBColor, Rectangle,
    SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, TextStyle};

use crate::figure::{Figure, three_digits};
use crate::peers::OURS;
use crate::results::{Estimate, Results};
use crate::scenario::Scenario;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const FAINT: RGBColor = RGBColor(0x65, 0x6d, 0x76);
const OURS_BAR: RGBColor = RGBColor(0x0b, 0x6b, 0xcb);
const PEER_BAR: RGBColor = RGBColor(0xc3, 0xcc, 0xd6);

// In pixels.
const PANEL_WIDTH: u32 = 340;
const ROW: i32 = 24;
const BAR: i32 = 14;
const HEAD: i32 = 46;
const TITLE: u32 = 44;
const NAMES: i32 = 112;
const VALUES: i32 = 56;

/// A plot, and the panels that belong to it.
struct Plot {
    file: &'static str,
    title: &'static str,
    belongs: fn(Scenario) -> bool,
    figures: &'static [Figure],
}

const PLOTS: [Plot; 8] = [
    Plot {
        file: "bulk-cpu.svg",
        title: "Bulk: processor time of the proxy for each GiB",
        belongs: is_bulk,
        figures: &[Figure::CpuSecondsPerGib],
    },
    Plot {
        file: "bulk-throughput.svg",
        title: "Bulk: throughput",
        belongs: is_bulk,
        figures: &[Figure::GibPerSecond],
    },
    Plot {
        file: "round-trip-cpu.svg",
        title: "Request and response: processor time of the proxy",
        belongs: is_round_trip,
        figures: &[Figure::CpuMicrosPerRoundTrip],
    },
    Plot {
        file: "round-trip-latency.svg",
        title: "Request and response: 99th percentile of the time",
        belongs: is_round_trip,
        figures: &[Figure::P99Micros],
    },
    Plot {
        file: "connect.svg",
        title: "Short connections",
        belongs: |scenario| matches!(scenario, Scenario::Connect { .. }),
        figures: &[Figure::CpuMicrosPerConnection, Figure::P99Micros, Figure::ConnectionsPerSecond],
    },
    Plot {
        file: "first-answer.svg",
        title: "First answer of a backend with Nagle: time since connect",
        belongs: |scenario| matches!(scenario, Scenario::FirstAnswer { .. }),
        figures: &[Figure::P50Micros, Figure::P99Micros],
    },
    Plot {
        file: "idle.svg",
        title: "Memory for each idle connection",
        belongs: |scenario| matches!(scenario, Scenario::Idle { .. }),
        figures: &[Figure::ProxyKib, Figure::KernelKib],
    },
    Plot {
        file: "mixed.svg",
        title: "Round trips beside bulk downloads",
        belongs: |scenario| matches!(scenario, Scenario::Mixed { .. }),
        figures: &[Figure::P50Micros, Figure::P99Micros, Figure::GibPerSecond],
    },
];

fn is_bulk(scenario: Scenario) -> bool {
    matches!(scenario, Scenario::Download { .. } | Scenario::Upload { .. })
}

fn is_round_trip(scenario: Scenario) -> bool {
    matches!(scenario, Scenario::RoundTrip { .. })
}

/// A figure of every proxy in a scenario.
struct Panel {
    scenario: Scenario,
    figure: Figure,
    bars: Vec<(&'static str, Estimate)>,
}

pub(super) fn write(
    results: &Results,
    scenarios: &[Scenario],
    folder: &Path,
) -> anyhow::Result<()> {
    for plot in &PLOTS {
        let panels: Vec<_> = scenarios
            .iter()
            .filter(|scenario| (plot.belongs)(**scenario))
            .flat_map(|scenario| plot.figures.iter().map(|figure| (*scenario, *figure)))
            .map(|(scenario, figure)| Panel::of(results, scenario, figure))
            .filter(|panel| !panel.bars.is_empty())
            .collect();
        if !panels.is_empty() {
            plot.draw(&panels, &folder.join(plot.file))?;
        }
    }
    Ok(())
}

impl Plot {
    fn draw(&self, panels: &[Panel], file: &Path) -> anyhow::Result<()> {
        let columns = if panels.len().is_multiple_of(3) { 3 } else { panels.len().min(2) };
        let rows = panels.len().div_ceil(columns);
        let most = panels.iter().map(|panel| panel.bars.len()).max().unwrap_or_default();
        let panel_height = u32::try_from(HEAD + ROW * i32::try_from(most)? + 12)?;
        let size =
            (PANEL_WIDTH * u32::try_from(columns)?, TITLE + panel_height * u32::try_from(rows)?);
        let root = SVGBackend::new(file, size).into_drawing_area();
        // Legible whatever the page's background.
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(TITLE);
        head.draw(&Text::new(self.title, (16, 16), text(18, FontStyle::Bold, INK)))?;
        for (panel, area) in panels.iter().zip(body.split_evenly((rows, columns))) {
            panel.draw(&area)?;
        }
        root.present()?;
        Ok(())
    }
}

impl Panel {
    fn of(results: &Results, scenario: Scenario, figure: Figure) -> Self {
        let proxies = results.proxies(scenario).into_iter();
        let bars = proxies
            .filter_map(|proxy| Some((proxy, results.estimate(scenario, proxy, figure)?)))
            .collect();
        Self { scenario, figure, bars }
    }

    fn draw(&self, area: &Area<'_>) -> anyhow::Result<()> {
        let better = if self.figure.lower_is_better() { "lower" } else { "higher" };
        let unit = format!("{}; {better} is better", self.figure.title());
        area.draw(&Text::new(self.scenario.title(), (16, 4), text(13, FontStyle::Bold, INK)))?;
        area.draw(&Text::new(unit, (16, 22), text(12, FontStyle::Normal, FAINT)))?;

        let left = NAMES;
        let width = f64::from(i32::try_from(PANEL_WIDTH)? - left - VALUES);
        let highest = self.bars.iter().map(|(_, bar)| bar.high).fold(f64::MIN_POSITIVE, f64::max);
        let place = |value: f64| left + (value.max(0.0) / highest * width).round() as i32;
        for (row, (proxy, estimate)) in (0..).zip(&self.bars) {
            let middle = HEAD + ROW * row + ROW / 2;
            let (style, color) = match *proxy == OURS {
                true => (FontStyle::Bold, OURS_BAR),
                false => (FontStyle::Normal, PEER_BAR),
            };
            let label = text(12, style, INK).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(*proxy, (left - 8, middle), label))?;
            let (top, bottom) = (middle - BAR / 2, middle + BAR / 2);
            let corners = [(left, top), (place(estimate.median).max(left + 1), bottom)];
            area.draw(&Rectangle::new(corners, color.filled()))?;
            let whisker = whisker(place(estimate.low), place(estimate.high), middle);
            for line in whisker {
                area.draw(&PathElement::new(line, INK.stroke_width(1)))?;
            }
            let value = text(12, style, INK).pos(Pos::new(HPos::Left, VPos::Center));
            let right = place(estimate.high) + 6;
            area.draw(&Text::new(three_digits(estimate.median), (right, middle), value))?;
        }
        Ok(())
    }
}

/// From the lowest round to the highest.
fn whisker(low: i32, high: i32, middle: i32) -> [Vec<(i32, i32)>; 3] {
    let end = |x: i32| vec![(x, middle - 3), (x, middle + 3)];
    [vec![(low, middle), (high, middle)], end(low), end(high)]
}

fn text(size: u32, style: FontStyle, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().style(style).color(&color)
}
