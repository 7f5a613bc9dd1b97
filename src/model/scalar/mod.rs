//! Scalars that cannot hold a value the API would refuse.
//!
//! Gateway API limits its names, ports and weights by length, pattern and range. Here each limit is
//! a type, checked once where the value enters: the rest of the crate never has to ask again.
//!
//! The limits are those of the [CRD schemas](https://gateway-api.sigs.k8s.io/reference/spec/).

mod invalid_scalar;
mod number;
mod pattern;
mod string;

pub use self::invalid_scalar::InvalidScalar;
pub use self::number::{PortNumber, Weight};
pub(crate) use self::pattern::{is_dns_label, is_dns_subdomain};
pub use self::string::{
    GatewayController, Group, Hostname, KindName, NamespaceName, ObjectName, SectionName,
};
