//! The value of `--addresses`.

use std::fmt;
use std::str::FromStr;

use sluicegate::translate::Addresses;

/// The value of `--addresses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AddressMode {
    /// Services in the namespace of `--service-namespace`.
    Service,
    /// Any other addresses.
    Other(Addresses),
}

impl fmt::Display for AddressMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Other(addresses) => addresses.fmt(f),
        }
    }
}

impl FromStr for AddressMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected host, service, or IP ranges such as 10.0.0.0/28";
        match text.parse() {
            _ if text == "service" => Ok(Self::Service),
            Ok(Addresses::Service(_)) => {
                Err(format!("{expected}; the namespace is an option, --service-namespace"))
            }
            Ok(addresses) => Ok(Self::Other(addresses)),
            Err(error) => Err(format!("{expected}: {error}")),
        }
    }
}
