//! The addresses and ports at which each Gateway is reached, by the setting.
//!
//! | module | setting |
//! |---|---|
//! | `host` | `Addresses::Host`: Gateways share the addresses of the host |
//! | `pool` | `Addresses::Pool`: each Gateway has addresses of its own |
//! | `service` | `Addresses::Service`: a Service for each Gateway (ports: `pod_ports`) |

mod assign;
mod host;
mod overlap;
mod pod_ports;
mod pool;
mod report;
mod service;
mod service_address;
mod spec_addresses;
mod types;

pub(super) use self::assign::{Placements, assign};
pub(super) use self::overlap::overlap;
pub(super) use self::report::AddressReport;
pub(super) use self::service::find_gateway_service;
pub(super) use self::spec_addresses::{RequestedAddresses, parse_requested_addresses};
pub(super) use self::types::{AddressRequest, Placement};
