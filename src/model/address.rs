//! Addresses of a Gateway: those that it requests, and those in its status.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::deserialize::null_as_default;
use super::scalar::Hostname;
use super::validate::Violations;

/// An address that a Gateway requests.
///
/// The value is kept as text: Gateway API compares values as text, and an implementation may define
/// address types with values of its own. [`GatewayAddress::ip`] parses it.
///
/// Specification:
/// [GatewaySpecAddress](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspecaddress).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayAddress {
    /// Type of the value.
    #[serde(default, rename = "type", deserialize_with = "null_as_default")]
    pub address_type: GatewayAddressType,
    /// The address. If it is absent or empty, the implementation assigns one of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Type of the value of a [`GatewayAddress`].
///
/// Specification: [AddressType](https://gateway-api.sigs.k8s.io/reference/spec/#addresstype).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GatewayAddressType {
    /// An IPv4 or IPv6 address.
    #[default]
    IpAddress,
    /// A hostname.
    Hostname,
    /// A type that an implementation defines, such as `example.com/pool`.
    Other(Arc<str>),
}

/// Error of [`GatewayAddress::ip`]: the Gateway requests something other than an IP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayAddressError {
    /// The type is `IPAddress`, but the value is not an IP address.
    #[error("`{value}` must be an IPv4 or IPv6 address")]
    InvalidIp {
        /// The value, as the Gateway contains it.
        value: String,
    },
    /// The type is not `IPAddress`.
    #[error("addresses of type {address_type} are not supported; use IPAddress")]
    UnsupportedType {
        /// The type, as the Gateway contains it.
        address_type: GatewayAddressType,
    },
}

/// An address at which clients can dial a Gateway.
///
/// Specification:
/// [GatewayStatusAddress](https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatusaddress).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatusAddress {
    /// Type of the value.
    #[serde(default, rename = "type", deserialize_with = "null_as_default")]
    pub address_type: GatewayAddressType,
    /// IP address or hostname, as `address_type` specifies.
    pub value: String,
}

impl GatewayAddress {
    /// Returns the requested IP address, or `None` if the implementation is to assign one.
    ///
    /// An IPv4 address that is written as an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is
    /// returned as IPv4.
    ///
    /// # Errors
    /// [`GatewayAddressError`] if the type is not `IPAddress` or the value is not an IP address.
    pub fn ip(&self) -> Result<Option<IpAddr>, GatewayAddressError> {
        if self.address_type != GatewayAddressType::IpAddress {
            let address_type = self.address_type.clone();
            return Err(GatewayAddressError::UnsupportedType { address_type });
        }
        let Some(value) = self.specified_value() else { return Ok(None) };
        match value.parse::<IpAddr>() {
            Ok(ip) => Ok(Some(ip.to_canonical())),
            Err(_) => Err(GatewayAddressError::InvalidIp { value: value.to_owned() }),
        }
    }

    /// Returns the value. Gateway API treats an empty value like an absent one.
    fn specified_value(&self) -> Option<&str> {
        self.value.as_deref().filter(|value| !value.is_empty())
    }
}

/// Checks `spec.addresses`.
pub(super) fn validate_addresses(addresses: &[GatewayAddress], violations: &mut Violations) {
    violations.check_count("spec.addresses", addresses.len(), 0, 16);
    let mut seen = BTreeSet::new();
    for (index, address) in addresses.iter().enumerate() {
        let path = format!("spec.addresses[{index}]");
        if let GatewayAddressType::Other(text) = &address.address_type
            && !is_address_type(text)
        {
            violations.add(format!("{path}.type"), format!("`{text}` must be {TYPE_EXPECTED}"));
        }
        let Some(value) = &address.value else { continue };
        let field = format!("{path}.value");
        match &address.address_type {
            GatewayAddressType::IpAddress if value.parse::<IpAddr>().is_err() => {
                violations.add(&field, format!("`{value}` must be an IPv4 or IPv6 address"));
            }
            GatewayAddressType::Hostname
                if !value.is_empty() && Hostname::new(&**value).is_err() =>
            {
                violations.add(&field, format!("`{value}` must be a hostname"));
            }
            GatewayAddressType::IpAddress | GatewayAddressType::Hostname => {}
            GatewayAddressType::Other(_) => violations.check_length(&field, value, 253),
        }
        let unique = !matches!(address.address_type, GatewayAddressType::Other(_));
        if unique && !seen.insert((&address.address_type, value)) {
            violations.add(&field, format!("`{value}` is listed twice; addresses must be unique"));
        }
    }
}

impl GatewayAddressType {
    fn as_str(&self) -> &str {
        match self {
            Self::IpAddress => "IPAddress",
            Self::Hostname => "Hostname",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for GatewayAddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for GatewayAddressType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for GatewayAddressType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Type;

        impl Visitor<'_> for Type {
            type Value = GatewayAddressType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(TYPE_EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GatewayAddressType, E> {
                Ok(match text {
                    "IPAddress" => GatewayAddressType::IpAddress,
                    "Hostname" => GatewayAddressType::Hostname,
                    _ => GatewayAddressType::Other(text.into()),
                })
            }
        }

        deserializer.deserialize_any(Type)
    }
}

const TYPE_EXPECTED: &str = "IPAddress, Hostname, or a domain-prefixed type";

/// Returns `true` if the text matches the pattern of the CRD. The pattern anchors each alternative
/// at one end at most: before the domain of the last alternative, any text is allowed.
fn is_address_type(text: &str) -> bool {
    let domain_prefixed = text.match_indices('/').any(|(slash, _)| {
        let (domain, path) = (&text[..slash], &text[slash + 1..]);
        domain.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
            && !path.is_empty()
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte))
    });
    (1..=253).contains(&text.chars().count())
        && (text.starts_with("Hostname")
            || text.contains("IPAddress")
            || text.contains("NamedAddress")
            || domain_prefixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(address_type: GatewayAddressType, value: Option<&str>) -> GatewayAddress {
        GatewayAddress { address_type, value: value.map(str::to_owned) }
    }

    #[test]
    fn ip_is_parsed_and_canonical() {
        let ip = |value| address(GatewayAddressType::IpAddress, value).ip();
        assert_eq!(ip(None), Ok(None));
        assert_eq!(ip(Some("")), Ok(None));
        assert_eq!(ip(Some("10.0.0.1")), Ok(Some([10, 0, 0, 1].into())));
        assert_eq!(ip(Some("::ffff:10.0.0.1")), Ok(Some([10, 0, 0, 1].into())));
        let value = "db.example.com".to_owned();
        assert_eq!(ip(Some(&value.clone())), Err(GatewayAddressError::InvalidIp { value }));
    }

    #[test]
    fn ip_of_another_type_is_an_error() {
        for value in [None, Some("10.0.0.1")] {
            let error = address(GatewayAddressType::Hostname, value).ip().unwrap_err();
            let address_type = GatewayAddressType::Hostname;
            assert_eq!(error, GatewayAddressError::UnsupportedType { address_type });
        }
    }
}
