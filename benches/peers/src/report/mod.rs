//! Reports of the results: tables, plots and JSON.

mod before_after;
mod plots;
mod table;
mod targets;

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::environment::Environment;
use crate::figure::{Figure, three_digits};
use crate::results::Results;
use crate::scenario::Scenario;

use self::table::Table;

const LEGEND: &str = "\
Median over the rounds, ± half of the difference between the lowest and the highest round; in brackets,
the ratio to the best of the other proxies (without sluicegate, baseline and direct).";

/// Prints the tables, and writes everything to a folder.
pub(crate) fn write(
    results: &Results,
    scenarios: &[Scenario],
    environment: &Environment,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut text = String::new();
    let mut markdown = format!("{}\n\n{LEGEND}\n", environment.told());
    let measured =
        scenarios.iter().copied().filter(|scenario| !results.proxies(*scenario).is_empty());
    let tables = measured.clone().map(|scenario| (scenario.title(), comparison(results, scenario)));
    let changes =
        before_after::table(results, scenarios).map(|table| ("Before and after".to_owned(), table));
    let targets = ("Targets".to_owned(), targets::table(results, scenarios));
    for (title, table) in tables.chain(changes).chain([targets]) {
        text += &format!("\n{title}\n{}", table.aligned());
        markdown += &format!("\n## {title}\n\n{}", table.markdown());
    }
    println!("{}\n{LEGEND}\n{text}", environment.told());

    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(folder.join("tables.md"), markdown)?;
    let json = json!({ "environment": environment, "samples": results.samples });
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(&json)?)?;
    plots::write(results, scenarios, folder)
}

/// Returns a table with a row for each proxy and a column for each figure.
fn comparison(results: &Results, scenario: Scenario) -> Table {
    let figures = scenario.figures();
    let mut head = vec!["proxy".to_owned()];
    head.extend(figures.iter().map(|figure| figure.title().to_owned()));
    let mut table = Table::with_head(head);
    for proxy in results.proxies(scenario) {
        let mut row = vec![proxy.to_owned()];
        row.extend(figures.iter().map(|figure| cell(results, scenario, proxy, *figure)));
        table.push(row);
    }
    table
}

fn cell(results: &Results, scenario: Scenario, proxy: &'static str, figure: Figure) -> String {
    let Some(estimate) = results.estimate(scenario, proxy, figure) else {
        return "-".to_owned();
    };
    let ratio = match results.ratio(scenario, proxy, figure) {
        Some(ratio) => format!(" ({ratio:.2})"),
        None => String::new(),
    };
    format!("{} ±{:.0}%{ratio}", three_digits(estimate.median), 100.0 * estimate.spread())
}
