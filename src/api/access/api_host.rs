//! Names and addresses of an API, as clients write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Longest DNS name.
const MAX_NAME_LENGTH: usize = 253;

/// Longest label of a DNS name.
const MAX_LABEL_LENGTH: usize = 63;

/// Name or address of an API, without a port.
///
/// Names are compared in lower case and without the trailing dot. IPv4 addresses in IPv6 notation
/// equal the IPv4 address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiHost(Host);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl ApiHost {
    /// Returns the address, unless it is a name.
    pub(in crate::api) fn address(&self) -> Option<IpAddr> {
        match self.0 {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        }
    }

    /// Returns `true` for the name `localhost`.
    pub(super) fn is_localhost(&self) -> bool {
        matches!(&self.0, Host::Name(name) if name == "localhost")
    }

    /// Parses the value of a Host header: a host with or without a port.
    pub(super) fn parse_with_port(text: &str) -> Option<Self> {
        // An IPv6 address has brackets.
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (Self::from(IpAddr::V6(address)), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                (Self::parse_name(&text[..end])?, &text[end..])
            }
        };
        let is_port = |port: &str| {
            // `u16::from_str` accepts a plus sign.
            port.is_empty()
                || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
        };
        let is_valid = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        is_valid.then_some(host)
    }

    /// Parses a name or an IPv4 address.
    fn parse_name(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Some(Self(Host::Address(address.into())));
        }
        let is_label = |label: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            (1..=MAX_LABEL_LENGTH).contains(&label.len()) && label.bytes().all(is_allowed)
        };
        // A name whose last label is a number is an IPv4 address in an unusual notation.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = name.len() <= MAX_NAME_LENGTH && name.split('.').all(is_label) && !is_number;
        is_name.then(|| Self(Host::Name(name.to_ascii_lowercase())))
    }
}

impl From<IpAddr> for ApiHost {
    fn from(address: IpAddr) -> Self {
        Self(Host::Address(address.to_canonical()))
    }
}

/// Error of a text that is not a name or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a DNS name or an IP address; expected a host without scheme and port, such as \
     gateway.example.com or 192.0.2.10"
)]
pub struct InvalidApiHost(String);

impl FromStr for ApiHost {
    type Err = InvalidApiHost;

    fn from_str(text: &str) -> Result<Self, InvalidApiHost> {
        let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = unbracketed.unwrap_or(text).parse::<Ipv6Addr>() {
            return Ok(IpAddr::V6(address).into());
        }
        Self::parse_name(text).ok_or_else(|| InvalidApiHost(text.to_owned()))
    }
}

impl fmt::Display for ApiHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_header_may_have_a_port() {
        for (text, expected) in [
            ("localhost", "localhost"),
            ("LocalHost:6080", "localhost"),
            ("localhost.:6080", "localhost"),
            ("localhost:", "localhost"),
            ("127.0.0.1:6080", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("[::1]", "::1"),
            ("[::1]:6080", "::1"),
            ("[0:0::1]:", "::1"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1"),
            ("a_b.Example.COM:65535", "a_b.example.com"),
        ] {
            let host = ApiHost::parse_with_port(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(host.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn malformed_host_header_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            ".",
            ":6080",
            "localhost..",
            ".localhost",
            "a..b",
            "localhost:65536",
            "localhost:+80",
            "localhost:80:80",
            "localhost:x",
            "user@localhost",
            "localhost/",
            "local host",
            "localhost\t",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "127.0.0.1.1",
            "*.example.com",
            "é.example.com",
            &long,
            &format!("{}a", "a.".repeat(127)),
        ] {
            assert_eq!(ApiHost::parse_with_port(text), None, "{text}");
        }
    }

    #[test]
    fn option_takes_a_host_without_a_port() {
        for (text, expected) in [
            ("Gateway.example.com.", "gateway.example.com"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(text.parse::<ApiHost>().unwrap().to_string(), expected);
        }
        for bad in ["", "gateway:6080", "https://gateway", "[::1]:80", "192.0.2.1:80"] {
            assert!(bad.parse::<ApiHost>().is_err(), "{bad}");
        }
    }
}
