//! Permission to use special addresses: loopback, link-local, multicast and unspecified.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::ranges::Ranges;
use crate::model::InvalidScalar;

/// The special addresses (loopback, link-local, multicast and unspecified) that Gateways may
/// request in `spec.addresses`. Text form: `allow`, `deny`, or ranges.
///
/// A Gateway with such an address could impersonate a service that programs on the host trust. So
/// the authors of Gateways need permission, unless they are the operators of the
/// gateway, as the authors of its files are.
///
/// ```
/// use sluicegate::translate::SpecialAddresses;
///
/// assert_eq!("deny".parse(), Ok(SpecialAddresses::Deny));
/// assert!(matches!("127.0.0.0/8,0.0.0.0".parse()?, SpecialAddresses::Only(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecialAddresses {
    /// Gateways may request all of them.
    #[default]
    Allow,
    /// Gateways may request none of them.
    Deny,
    /// Gateways may request those of these ranges.
    Only(Ranges),
}

/// The networks of special addresses.
const SPECIAL: &str = "0.0.0.0,127.0.0.0/8,169.254.0.0/16,224.0.0.0/4,::,::1,fe80::/10,ff00::/8";

impl SpecialAddresses {
    /// Returns `true` unless the address is special and not allowed.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        !is_special(address)
            || match self {
                Self::Allow => true,
                Self::Deny => false,
                Self::Only(ranges) => ranges.contains(address),
            }
    }

    /// Checks that a pool contains no special address that is not allowed.
    ///
    /// # Errors
    /// The first range of special addresses that is not allowed.
    pub fn check_pool(&self, pool: &Ranges) -> Result<(), InvalidScalar> {
        pool.check_pool()?;
        let special: Ranges = SPECIAL.parse().expect("valid ranges");
        let denied = pool.intersections(&special).find(|range| match self {
            Self::Allow => false,
            Self::Deny => true,
            Self::Only(ranges) => !ranges.contains_range(*range),
        });
        match denied {
            Some(range) => Err(InvalidScalar {
                found: range.to_string(),
                expected: "allowed in a pool, because these are loopback or link-local addresses; remove them, or allow them (--special-addresses, Builder::special_addresses)",
            }),
            None => Ok(()),
        }
    }
}

/// Returns `true` for loopback, link-local, multicast and unspecified addresses.
fn is_special(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    address.is_loopback() || address.is_multicast() || address.is_unspecified() || is_link_local
}

impl FromStr for SpecialAddresses {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        match text {
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            ranges => ranges.parse().map(Self::Only),
        }
    }
}

impl fmt::Display for SpecialAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::Deny => f.write_str("deny"),
            Self::Only(ranges) => ranges.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_those_of_the_networks() {
        let special: Ranges = SPECIAL.parse().unwrap();
        for text in [
            "0.0.0.0",
            "0.0.0.1",
            "10.0.0.1",
            "126.255.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.254.0.0",
            "169.254.255.255",
            "169.255.0.0",
            "223.255.255.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "::",
            "::1",
            "::2",
            "2001:db8::1",
            "fe7f:ffff::",
            "fe80::1",
            "febf:ffff::",
            "fec0::",
            "feff::",
            "ff00::",
            "ff02::1",
        ] {
            let address = text.parse().unwrap();
            assert_eq!(is_special(address), special.contains(address), "{text}");
            assert!(SpecialAddresses::Allow.allows(address));
            assert_eq!(SpecialAddresses::Deny.allows(address), !is_special(address), "{text}");
        }
    }

    #[test]
    fn pool_needs_permission_for_special_addresses() {
        for (setting, pool, denied) in [
            ("deny", "10.0.0.0/8,fd00::/8", None),
            ("deny", "127.0.0.1-127.0.0.9", Some("127.0.0.1-127.0.0.9")),
            ("deny", "126.0.0.0-128.0.0.0", Some("127.0.0.0-127.255.255.255")),
            ("deny", "10.0.0.1,fe80::1", Some("fe80::1")),
            ("allow", "127.0.0.1-127.0.0.9,fe80::1", None),
            ("127.0.0.0/24", "127.0.0.1-127.0.0.9", None),
            ("127.0.0.0/24", "127.0.0.0/23", Some("127.0.0.0-127.0.1.255")),
            // No connection arrives at these.
            ("allow", "0.0.0.0", Some("0.0.0.0")),
            ("0.0.0.0/0", "224.0.0.1", Some("224.0.0.1")),
        ] {
            let setting: SpecialAddresses = setting.parse().unwrap();
            let result = setting.check_pool(&pool.parse().unwrap());
            assert_eq!(result.err().map(|error| error.found).as_deref(), denied, "{pool}");
        }
    }
}
