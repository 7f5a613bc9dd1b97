//! Scalars that cannot hold a value the API would refuse.
//!
//! Gateway API limits its names, ports and weights by length, pattern and range. Here each limit is
//! a type, checked once where the value enters: the rest of the crate never has to ask again. Text
//! is shared (`Arc<str>`), so that a plan, a status and a log line can all name an object cheaply.
//!
//! The limits are those of the [CRD schemas](https://gateway-api.sigs.k8s.io/reference/spec/).

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

/// A value that its type cannot hold, and what the type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct InvalidScalar {
    /// The value as it was given.
    pub found: String,
    /// What is allowed, as a noun phrase.
    pub expected: &'static str,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $allowed:path, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and takes it over.
            ///
            /// # Errors
            /// [`InvalidScalar`] where the text breaks the type's rule.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, InvalidScalar> {
                let text = text.into();
                if $allowed(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidScalar { found: text.as_ref().to_owned(), expected: $expected })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidScalar;

            fn from_str(text: &str) -> Result<Self, InvalidScalar> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidScalar;

            fn try_from(text: &str) -> Result<Self, InvalidScalar> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text)
                            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }

                // Not `deserialize_str`: an unquoted number is not a name, here as in Kubernetes.
                deserializer.deserialize_any(Text)
            }
        }
    };
}

text! {
    /// The name of an object, as `metadata.name` or in a reference: 1 to 253 bytes.
    ObjectName, is_object_name, "an object name of 1 to 253 characters"
}
text! {
    /// The name of a namespace: a DNS label of 1 to 63 characters.
    NamespaceName, is_dns_label,
    "a namespace: 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
}
text! {
    /// The name of a listener or of a route rule: a DNS subdomain of 1 to 253 characters.
    SectionName, is_dns_subdomain,
    "a section name: 1 to 253 of a-z, 0-9, '-' and '.', each part beginning and ending with a letter or digit"
}
text! {
    /// A hostname, with a wildcard as its first label at most.
    Hostname, is_hostname,
    "a hostname: 1 to 253 of a-z, 0-9, '-' and '.', possibly with a leading '*.'"
}
text! {
    /// An API group; the core group is the empty text.
    Group, is_group, "an API group: empty for the core group, otherwise a DNS subdomain"
}
text! {
    /// The kind of a referenced object.
    KindName, is_kind,
    "a kind: 1 to 63 letters, digits and '-', beginning with a letter"
}
text! {
    /// The name a GatewayClass uses for the controller that serves it: a domain, a slash, a path.
    GatewayController, is_controller,
    "a controller name: a domain, a slash and a path, such as example.com/gateway"
}

/// A TCP port: 1 to 65535.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortNumber(NonZeroU16);

impl PortNumber {
    /// The port, unless it is 0.
    pub const fn new(port: u16) -> Option<Self> {
        match NonZeroU16::new(port) {
            Some(port) => Some(Self(port)),
            None => None,
        }
    }

    /// The port as a plain number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u16> for PortNumber {
    type Error = InvalidScalar;

    fn try_from(port: u16) -> Result<Self, InvalidScalar> {
        Self::new(port)
            .ok_or_else(|| InvalidScalar { found: port.to_string(), expected: PORT_EXPECTED })
    }
}

/// A backend's share of new connections, in relation to the sum over its route: 0 to 1 000 000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    /// The largest weight.
    pub const MAX: u32 = 1_000_000;

    /// The weight, unless it is over [`Weight::MAX`].
    pub const fn new(weight: u32) -> Option<Self> {
        if weight <= Self::MAX { Some(Self(weight)) } else { None }
    }

    /// The weight as a plain number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Weight {
    type Error = InvalidScalar;

    fn try_from(weight: u32) -> Result<Self, InvalidScalar> {
        Self::new(weight)
            .ok_or_else(|| InvalidScalar { found: weight.to_string(), expected: WEIGHT_EXPECTED })
    }
}

impl Default for Weight {
    /// 1, as the specification says.
    fn default() -> Self {
        Self(1)
    }
}

macro_rules! number {
    ($name:ident, $inner:ty, $expected:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Number;

                impl Visitor<'_> for Number {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                        <$inner>::try_from(number)
                            .ok()
                            .and_then($name::new)
                            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        match u64::try_from(number) {
                            Ok(number) => self.visit_u64(number),
                            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                        }
                    }
                }

                deserializer.deserialize_any(Number)
            }
        }
    };
}

number!(PortNumber, u16, PORT_EXPECTED);
number!(Weight, u32, WEIGHT_EXPECTED);

const PORT_EXPECTED: &str = "a port from 1 to 65535";
const WEIGHT_EXPECTED: &str = "a weight from 0 to 1000000";

/// The longest name, hostname or group the API takes.
const MAX_LEN: usize = 253;

fn is_object_name(text: &str) -> bool {
    (1..=MAX_LEN).contains(&text.len())
}

/// RFC 1123 label, in lower case.
pub(crate) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_label_of_any_length(text)
}

/// RFC 1123 subdomain, in lower case. As in the CRDs, only the whole is limited in length.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_LEN && text.split('.').all(is_label_of_any_length)
}

fn is_label_of_any_length(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    alphanumeric(first)
        && alphanumeric(last)
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

fn is_hostname(text: &str) -> bool {
    text.len() <= MAX_LEN && is_dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

fn is_group(text: &str) -> bool {
    text.is_empty() || is_dns_subdomain(text)
}

fn is_kind(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes[bytes.len() - 1] != b'-'
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

fn is_controller(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    text.len() <= MAX_LEN
        && is_dns_subdomain(domain)
        && !path.is_empty()
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_patterns() {
        for good in ["a", "a-b", "0", "a.b", "a..b"] {
            assert!(ObjectName::new(good).is_ok(), "{good}");
        }
        assert!(ObjectName::new("").is_err());
        assert!(ObjectName::new("x".repeat(254)).is_err());

        for good in ["a", "a-b", "0", "a.b-c.d"] {
            assert!(SectionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", ".a", "a_b"] {
            assert!(SectionName::new(bad).is_err(), "{bad}");
        }
        assert!(NamespaceName::new("a.b").is_err());
        assert!(NamespaceName::new("x".repeat(63)).is_ok());
        assert!(NamespaceName::new("x".repeat(64)).is_err());

        assert!(Hostname::new("*.example.com").is_ok());
        assert!(Hostname::new("*").is_err());
        assert!(Group::new("").is_ok());
        assert!(KindName::new("TCPRoute").is_ok());
        assert!(KindName::new("1Route").is_err());
    }

    #[test]
    fn a_controller_is_a_domain_and_a_path() {
        assert!(GatewayController::new("sluicegate.dev/gateway-controller").is_ok());
        for bad in ["sluicegate.dev", "sluicegate.dev/", "/x", "Sluice.dev/x", "a.b/c d"] {
            assert!(GatewayController::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_keep_to_their_ranges() {
        assert_eq!(PortNumber::new(0), None);
        assert_eq!(PortNumber::new(65535).map(PortNumber::get), Some(65535));
        assert_eq!(Weight::new(1_000_001), None);
        assert_eq!(Weight::default().get(), 1);
        assert_eq!(Weight::try_from(Weight::MAX).map(Weight::get), Ok(1_000_000));
        let error = Weight::try_from(1_000_001).unwrap_err();
        assert_eq!(error.to_string(), "`1000001` is not a weight from 0 to 1000000");
    }

    #[test]
    fn an_invalid_scalar_says_what_is_allowed() {
        let error = SectionName::new("Foo").unwrap_err();
        assert!(error.to_string().starts_with("`Foo` is not a section name: 1 to 253 of"));
    }
}
