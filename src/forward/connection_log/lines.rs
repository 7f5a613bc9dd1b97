//! Format of the lines about connections.

use std::fmt::Display;
use std::io::{self, Write as _};

use jiff::Timestamp;

use super::connection_lines::LineFormat;
use super::event::{ConnectionEnd, TARGET};

/// Appends the line of a connection that ended at this time.
pub(in crate::forward) fn append(
    buffer: &mut Vec<u8>,
    format: LineFormat,
    end: &ConnectionEnd<'_>,
    time: Timestamp,
) {
    // Writing to a vector does not fail.
    let _ = Line { buffer, format }.write(end, time);
}

/// A line that is being written.
struct Line<'a> {
    buffer: &'a mut Vec<u8>,
    format: LineFormat,
}

impl Line<'_> {
    fn write(&mut self, end: &ConnectionEnd<'_>, time: Timestamp) -> io::Result<()> {
        match self.format {
            LineFormat::Text => write!(self.buffer, "{time:.6}  INFO connection ended")?,
            LineFormat::Json => write!(
                self.buffer,
                r#"{{"timestamp":"{time:.6}","level":"INFO","message":"connection ended""#
            )?,
        }
        let names = end.names();
        self.value("listener", Some(&names.listener))?;
        self.value("route", names.route.as_ref())?;
        self.value("backend", end.backend_name())?;
        self.value("endpoint", end.endpoint)?;
        self.value("downstream", Some(end.downstream))?;
        self.value("local", end.local)?;
        self.number("attempts", (end.attempts > 0).then_some(end.attempts.into()))?;
        self.number("dial_us", end.dial_us.map(Into::into))?;
        self.number("bytes_up", Some(end.bytes_up))?;
        self.number("bytes_down", Some(end.bytes_down))?;
        self.number("duration_us", Some(end.duration_us()))?;
        self.label("outcome", Some(end.outcome.as_str()))?;
        self.label("reason", end.outcome.reason())?;
        match self.format {
            LineFormat::Text => writeln!(self.buffer),
            LineFormat::Json => writeln!(self.buffer, r#","target":"{TARGET}"}}"#),
        }
    }

    /// Writes a name or an address, if there is one. They need no escapes: they contain no quotes,
    /// backslashes and control characters.
    fn value(&mut self, name: &str, value: Option<impl Display>) -> io::Result<()> {
        match (value, self.format) {
            (None, _) => Ok(()),
            (Some(value), LineFormat::Text) => write!(self.buffer, " {name}={value}"),
            (Some(value), LineFormat::Json) => write!(self.buffer, r#","{name}":"{value}""#),
        }
    }

    /// Writes a number, if there is one.
    fn number(&mut self, name: &str, value: Option<u64>) -> io::Result<()> {
        match (value, self.format) {
            (None, _) => Ok(()),
            (Some(value), LineFormat::Text) => write!(self.buffer, " {name}={value}"),
            (Some(value), LineFormat::Json) => write!(self.buffer, r#","{name}":{value}"#),
        }
    }

    /// Writes a label, if there is one. A subscriber of `tracing` quotes it in text, too.
    fn label(&mut self, name: &str, value: Option<&str>) -> io::Result<()> {
        match (value, self.format) {
            (None, _) => Ok(()),
            (Some(value), LineFormat::Text) => write!(self.buffer, " {name}=\"{value}\""),
            (Some(value), LineFormat::Json) => write!(self.buffer, r#","{name}":"{value}""#),
        }
    }
}
