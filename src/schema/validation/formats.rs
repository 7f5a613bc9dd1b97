//! Formats of strings.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::model::Timestamp;
use crate::schema::node::Format;

/// Returns the name of the format if the text does not have it.
pub(super) fn mismatch(text: &str, format: Format) -> Option<&'static str> {
    let (is_valid, name) = match format {
        Format::DateTime => (is_time(text, |digits| digits != Some(0)), "date-time"),
        Format::MicroTime => (is_time(text, |digits| digits == Some(6)), "date-time"),
        Format::Byte => (decode_base64(text).is_some(), "byte"),
        Format::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "ipv4"),
        Format::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "ipv6"),
        Format::Int32 | Format::Int64 => (true, "integer"),
    };
    (!is_valid).then_some(name)
}

/// Decodes a text in base64. As in Go, it may contain line breaks: `base64` writes them.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace(['\r', '\n'], "")).ok()
}

/// Returns `true` for a time that clients in Go can decode: RFC 3339 in upper case and without leap
/// seconds. `allows` decides on the number of digits after the point; `None` if there is none.
fn is_time(text: &str, allows: impl Fn(Option<usize>) -> bool) -> bool {
    const SECONDS: &[u8] = b"0000-00-00T00:00:00";
    let has_shape = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((start, rest)) = text.as_bytes().split_at_checked(SECONDS.len()) else {
        return false;
    };
    let (digits, zone) = match rest.strip_prefix(b".") {
        Some(rest) => {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (Some(count), &rest[count..])
        }
        None => (None, rest),
    };
    has_shape(start, SECONDS)
        && !start.ends_with(b"60")
        && allows(digits)
        && [&b"Z"[..], b"+00:00", b"-00:00"].iter().any(|shape| has_shape(zone, shape))
        && text.parse::<Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_format() {
        for (format, valid, invalid) in [
            (Format::DateTime, "2026-01-01T00:00:00.5+01:00", "2026-01-01"),
            (Format::DateTime, "2026-12-31T23:59:59Z", "2026-12-31T23:59:60Z"),
            (Format::DateTime, "2026-01-01T00:00:00-01:30", "2026-01-01T00:00:00-0130"),
            (Format::DateTime, "2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.Z"),
            (Format::DateTime, "2026-01-01T00:00:00Z", "2026-01-01 00:00:00Z"),
            (Format::DateTime, "2026-01-01T00:00:00Z", "2026-01-01t00:00:00z"),
            (Format::DateTime, "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z"),
            (Format::DateTime, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z[UTC]"),
            (Format::DateTime, "2026-01-01T00:00:00Z", "é026-01-01T00:00:00Z"),
            (Format::MicroTime, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00Z"),
            (Format::MicroTime, "2026-01-01T00:00:00.123456+01:00", "2026-01-01T00:00:00.123Z"),
            (Format::MicroTime, "2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.1234567Z"),
            (Format::Byte, "eA==", "eA="),
            (Format::Byte, "eHh4\neA==\r\n", "eA= ="),
            (Format::Ipv4, "10.0.0.1", "10.0.0.01"),
            (Format::Ipv6, "::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(mismatch(valid, format), None, "{valid}");
            assert!(mismatch(invalid, format).is_some(), "{invalid}");
        }
    }
}
