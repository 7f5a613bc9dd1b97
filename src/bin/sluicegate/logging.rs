//! Format and level of the log.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::log_writer::{Line, Logs};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// What is logged: a level, or directives of `tracing`.
#[derive(Debug, Clone)]
pub(crate) struct Level(String);

impl Level {
    /// Reads what was asked for. A level alone is ours; of the libraries' doings, that would be too
    /// much.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let directives = match text {
            "error" => "error".to_owned(),
            // What the client of Kubernetes meets is said by sluicegate itself, and once.
            "warn" | "info" | "debug" | "trace" => {
                format!("warn,kube_client=off,kube_runtime=off,sluicegate={text}")
            }
            directives if directives.contains('=') => directives.to_owned(),
            _ => {
                return Err("it should be error, warn, info, debug or trace, or directives such as warn,sluicegate::sources=debug".to_owned());
            }
        };
        EnvFilter::try_new(&directives).map_err(|error| error.to_string())?;
        Ok(Self(directives))
    }
}

/// Logs to standard error from here on.
pub(crate) fn start(format: Format, level: Level) -> io::Result<Arc<Logs>> {
    let logs = Logs::start()?;
    let taker = logs.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level.0))
        .with_ansi(format == Format::Text && io::stderr().is_terminal())
        .with_writer(move || Line(taker.clone()));
    match format {
        Format::Text => subscriber.compact().with_target(false).init(),
        Format::Json => {
            subscriber
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .init();
        }
    }
    Ok(logs)
}
