//! The log of an example, on standard output.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts to log what the library and the example report.
pub(crate) fn start_log(example: &str) {
    let format = tracing_subscriber::fmt::layer()
        .compact()
        .without_time()
        .with_target(false)
        .with_ansi(io::stdout().is_terminal());
    let filter = Targets::new()
        .with_targets([("sluicegate", LevelFilter::INFO), (example, LevelFilter::INFO)]);
    tracing_subscriber::registry().with(format).with(filter).init();
}
