//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Measures the costs of sluicegate and of other TCP proxies.

Usage: benches/peers/run [OPTIONS]

Options:
      --rounds N        Slices of each proxy in each scenario. Default: 5.
      --slice SECONDS   Duration of the measurement in a slice. Default: 1.
      --only TEXT       Run only scenarios with TEXT in their name, such as
                        download or round-trip-64B.
      --proxy NAME,...  Run only these proxies: sluicegate, haproxy,
                        haproxy-splice, nginx, envoy, tokio, floor, direct (no
                        proxy; only latencies and rates).
      --baseline PATH   Also run this program, another build of sluicegate, as
                        the proxy baseline, and print a table of before and
                        after.
      --out DIR         Directory for results.json, tables.md and the plots.
                        Default: target/peers.
      --quick           Short run that checks the setup; do not use its figures.
  -h, --help            Print this help.
";

pub(crate) enum Task {
    Measure(Options),
    Help,
}

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) slice: Duration,
    pub(crate) only: String,
    /// The proxies to run; all installed ones if empty.
    pub(crate) proxies: Vec<String>,
    /// Another program of sluicegate.
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) out: PathBuf,
    pub(crate) quick: bool,
}

pub(crate) fn parse() -> Result<Task, lexopt::Error> {
    let mut rounds = None;
    let mut slice = None;
    let mut only = String::new();
    let mut proxies = Vec::new();
    let mut baseline = None;
    let mut out = PathBuf::from("target/peers");
    let mut quick = false;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => rounds = Some(parser.value()?.parse_with(at_least_one)?),
            Long("slice") => slice = Some(parser.value()?.parse_with(seconds)?),
            Long("only") => only = parser.value()?.string()?,
            Long("proxy") => {
                proxies.extend(parser.value()?.string()?.split(',').map(str::to_owned));
            }
            Long("baseline") => baseline = Some(parser.value()?.into()),
            Long("out") => out = parser.value()?.into(),
            Long("quick") => quick = true,
            Short('h') | Long("help") => return Ok(Task::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    let (default_rounds, default_slice) = match quick {
        true => (1, Duration::from_millis(50)),
        false => (5, Duration::from_secs(1)),
    };
    Ok(Task::Measure(Options {
        rounds: rounds.unwrap_or(default_rounds),
        slice: slice.unwrap_or(default_slice),
        only,
        proxies,
        baseline,
        out,
        quick,
    }))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "not a number above 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let slice = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    // What is longer is a mistake, and what is shorter measures nothing.
    let sensible = Duration::from_millis(10)..=Duration::from_secs(60);
    sensible.contains(&slice).then_some(slice).ok_or_else(|| "not from 0.01 to 60".to_owned())
}
