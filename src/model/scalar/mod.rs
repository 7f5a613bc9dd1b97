//! Scalar types that cannot hold a value which the API refuses.
//!
//! Gateway API limits names, ports and weights by length, pattern and range. A type here checks the
//! limit when a value is created, so that the rest of the crate need not.
//!
//! The limits are those of the [CRD schemas](https://gateway-api.sigs.k8s.io/reference/spec/).

mod invalid_scalar;
mod number;
mod pattern;
mod string;

pub use self::invalid_scalar::InvalidScalar;
pub(crate) use self::number::{AnyPort, PORT_EXPECTED, as_integer, zero_as_none};
pub use self::number::{PortNumber, Weight};
pub(crate) use self::pattern::{is_dns_label, is_dns_subdomain};
pub use self::string::{
    GatewayController, Group, Hostname, KindName, NamespaceName, ObjectName, SectionName,
};
