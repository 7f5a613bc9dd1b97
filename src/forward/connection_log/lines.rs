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
    let _ = match format {
        LineFormat::Text => append_text(buffer, end, time),
        LineFormat::Json => append_json(buffer, end, time),
    };
}

fn append_text(buffer: &mut Vec<u8>, end: &ConnectionEnd<'_>, time: Timestamp) -> io::Result<()> {
    let names = end.names();
    write!(buffer, "{time:.6}  INFO connection ended listener={}", names.listener)?;
    let mut text = |name: &str, value: Option<&dyn Display>| match value {
        Some(value) => write!(buffer, " {name}={value}"),
        None => Ok(()),
    };
    text("route", names.route.as_ref().map(|it| it as _))?;
    text("backend", end.backend_name().as_ref().map(|it| it as _))?;
    text("endpoint", end.endpoint.as_ref().map(|it| it as _))?;
    text("downstream", Some(&end.downstream))?;
    text("local", end.local.as_ref().map(|it| it as _))?;
    text("attempts", (end.attempts > 0).then_some(&end.attempts as _))?;
    text("dial_us", end.dial_us.as_ref().map(|it| it as _))?;
    text("bytes_up", Some(&end.bytes_up))?;
    text("bytes_down", Some(&end.bytes_down))?;
    text("duration_us", Some(&end.duration_us()))?;
    write!(buffer, " outcome=\"{}\"", end.outcome)?;
    if let Some(reason) = end.outcome.reason() {
        write!(buffer, " reason=\"{reason}\"")?;
    }
    buffer.push(b'\n');
    Ok(())
}

/// The values need no escapes: names of objects, addresses and labels contain no character that
/// does.
fn append_json(buffer: &mut Vec<u8>, end: &ConnectionEnd<'_>, time: Timestamp) -> io::Result<()> {
    let names = end.names();
    write!(
        buffer,
        r#"{{"timestamp":"{time:.6}","level":"INFO","message":"connection ended","listener":"{}""#,
        names.listener
    )?;
    let mut text = |name: &str, value: Option<&dyn Display>| match value {
        Some(value) => write!(buffer, r#","{name}":"{value}""#),
        None => Ok(()),
    };
    text("route", names.route.as_ref().map(|it| it as _))?;
    text("backend", end.backend_name().as_ref().map(|it| it as _))?;
    text("endpoint", end.endpoint.as_ref().map(|it| it as _))?;
    text("downstream", Some(&end.downstream))?;
    text("local", end.local.as_ref().map(|it| it as _))?;
    let mut number = |name: &str, value: Option<u64>| match value {
        Some(value) => write!(buffer, r#","{name}":{value}"#),
        None => Ok(()),
    };
    number("attempts", (end.attempts > 0).then_some(end.attempts.into()))?;
    number("dial_us", end.dial_us.map(Into::into))?;
    number("bytes_up", Some(end.bytes_up))?;
    number("bytes_down", Some(end.bytes_down))?;
    number("duration_us", Some(end.duration_us()))?;
    write!(buffer, r#","outcome":"{}""#, end.outcome)?;
    if let Some(reason) = end.outcome.reason() {
        write!(buffer, r#","reason":"{reason}""#)?;
    }
    writeln!(buffer, r#","target":"{TARGET}"}}"#)
}
