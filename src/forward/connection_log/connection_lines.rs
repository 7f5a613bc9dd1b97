//! Writer of the lines about connections.

use std::fmt::{self, Debug};
use std::sync::Arc;

/// Writes a line for each connection that ends, in place of an event of `tracing`.
///
/// A worker formats its lines into a buffer of its own, and passes them on once in a turn. That
/// costs a fraction of an event, which a subscriber formats field by field. The same connections
/// get a line as with events: [`Settings::connection_log`](crate::forward::Settings), the limit of
/// lines and the filter of the subscriber apply.
#[derive(Clone)]
pub struct ConnectionLines {
    format: LineFormat,
    output: Arc<dyn LineOutput>,
}

/// Format of the lines. The fields are those of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineFormat {
    /// `2026-01-31T08:00:00.000000Z  INFO connection ended listener=…`, as the compact format of
    /// `tracing-subscriber` without target and colours.
    Text,
    /// One JSON object per line, as the JSON format of `tracing-subscriber` with flattened events.
    Json,
}

/// Destination of the lines.
pub trait LineOutput: Send + Sync {
    /// Takes whole lines, each with its line feed. It is called on worker threads, so it must not
    /// block.
    fn write(&self, lines: &[u8]);
}

impl ConnectionLines {
    /// Creates the writer of lines in a format.
    pub fn new(format: LineFormat, output: Arc<dyn LineOutput>) -> Self {
        Self { format, output }
    }

    /// Passes lines on.
    pub(in crate::forward) fn write(&self, lines: &[u8]) {
        self.output.write(lines);
    }

    pub(in crate::forward) fn format(&self) -> LineFormat {
        self.format
    }
}

impl Debug for ConnectionLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionLines").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Lines are equal if they have the same format and go to the same place.
impl PartialEq for ConnectionLines {
    fn eq(&self, other: &Self) -> bool {
        self.format == other.format && Arc::ptr_eq(&self.output, &other.output)
    }
}

impl Eq for ConnectionLines {}
