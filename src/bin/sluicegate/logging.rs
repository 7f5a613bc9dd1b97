//! Format and filter of the log.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use clap::ValueEnum;
use sluicegate::forward::{ConnectionLines, LineFormat};
use tracing_subscriber::EnvFilter;

use crate::log_writer::{BufferedOutput, LogWriter};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Readable lines
    Text,
    /// One JSON object per line
    Json,
}

/// Directives of `tracing_subscriber`, which select the events to log.
#[derive(Debug, Clone)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// Parses a level or directives.
    ///
    /// A level applies to this crate. Other crates log warnings, or errors at level `error`; the
    /// kube crates log nothing except at level `error`.
    ///
    /// # Errors
    /// Returns what is allowed if the text is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let directives = match text {
            "error" => "error".to_owned(),
            // The kube crates log each failed request. `sources::kube` logs each failure once.
            "warn" | "info" | "debug" | "trace" => {
                format!("warn,kube_client=off,sluicegate={text}")
            }
            directives if directives.contains('=') => directives.to_owned(),
            _ => {
                return Err("expected error, warn, info, debug, trace, or directives such as \
                            warn,sluicegate::sources=debug"
                    .to_owned());
            }
        };
        EnvFilter::try_new(&directives).map_err(|error| {
            format!("{error}; give directives such as warn,sluicegate::sources=debug")
        })?;
        Ok(Self(directives))
    }
}

impl Default for LogFilter {
    /// Returns the filter of level `info`.
    fn default() -> Self {
        Self::parse("info").expect("a level")
    }
}

/// The log on standard error.
pub(crate) struct Log {
    pub(crate) writer: Arc<LogWriter>,
    /// Writer of the lines of connections; `None` if the log has colours, which only the subscriber
    /// writes.
    pub(crate) connection_lines: Option<ConnectionLines>,
}

/// Installs the global subscriber, which logs to standard error.
///
/// # Errors
/// Returns the error of the operating system if it cannot create the writer thread.
pub(crate) fn start(format: LogFormat, filter: LogFilter) -> io::Result<Log> {
    let writer = LogWriter::start()?;
    let has_colours = format == LogFormat::Text && io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter.0))
        .with_ansi(has_colours)
        .with_writer(BufferedOutput(writer.clone()));
    match format {
        LogFormat::Text => subscriber.compact().with_target(false).init(),
        LogFormat::Json => {
            subscriber
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .init();
        }
    }
    let line_format = match format {
        LogFormat::Text => LineFormat::Text,
        LogFormat::Json => LineFormat::Json,
    };
    let connection_lines =
        (!has_colours).then(|| ConnectionLines::new(line_format, writer.clone()));
    Ok(Log { writer, connection_lines })
}
