//! Formats of strings.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::model::Timestamp;
use crate::schema::node::Format;

/// Returns the name of the format if the text does not have it.
pub(super) fn mismatch(text: &str, format: Format) -> Option<&'static str> {
    let (is_valid, name) = match format {
        Format::DateTime => (text.parse::<Timestamp>().is_ok(), "date-time"),
        Format::Byte => (STANDARD.decode(text).is_ok(), "byte"),
        Format::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "ipv4"),
        Format::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "ipv6"),
        Format::Int32 | Format::Int64 => (true, "integer"),
    };
    (!is_valid).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_format() {
        for (format, valid, invalid) in [
            (Format::DateTime, "2026-01-01T00:00:00.5+01:00", "2026-01-01"),
            (Format::Byte, "eA==", "eA="),
            (Format::Ipv4, "10.0.0.1", "10.0.0.01"),
            (Format::Ipv6, "::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(mismatch(valid, format), None, "{valid}");
            assert!(mismatch(invalid, format).is_some(), "{invalid}");
        }
    }
}
