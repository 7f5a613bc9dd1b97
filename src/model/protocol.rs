//! Protocol of a listener.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

/// Protocol of a listener.
///
/// Specification: [ProtocolType](https://gateway-api.sigs.k8s.io/reference/spec/#protocoltype).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names of the protocols")]
pub enum Protocol {
    Tcp,
    Udp,
    Tls,
    Http,
    Https,
    /// Another protocol, such as `example.com/quic`.
    Other(Arc<str>),
}

impl Protocol {
    fn as_str(&self) -> &str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Tls => "TLS",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Protocol;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a protocol: TCP, UDP, TLS, HTTP, HTTPS, or a domain-prefixed name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Protocol, E> {
                match text {
                    "TCP" => Ok(Protocol::Tcp),
                    "UDP" => Ok(Protocol::Udp),
                    "TLS" => Ok(Protocol::Tls),
                    "HTTP" => Ok(Protocol::Http),
                    "HTTPS" => Ok(Protocol::Https),
                    _ if is_protocol(text) => Ok(Protocol::Other(text.into())),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Name)
    }
}

/// Returns `true` if the text matches the pattern of the CRD: a word, or a domain-prefixed name.
/// The pattern does not anchor the beginning of the second alternative.
fn is_protocol(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    let word = bytes.first().is_some_and(|first| alphanumeric(*first))
        && bytes.last().is_some_and(|last| alphanumeric(*last))
        && bytes.iter().all(|byte| alphanumeric(*byte) || *byte == b'-');
    let prefixed = text.rsplit_once('/').is_some_and(|(domain, name)| {
        domain.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(alphanumeric)
    });
    text.chars().count() <= 255 && (word || prefixed)
}
