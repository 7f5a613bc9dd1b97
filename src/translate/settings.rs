//! What translation needs to know beside the objects.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::ranges::Ranges;
use crate::model::{GatewayController, InvalidScalar};

/// What [`translate`](super::translate) needs to know beside the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Which GatewayClasses are served. Default: every one.
    pub controller: Controller,
    /// Where Gateways live.
    pub addresses: Addresses,
    /// What is bound and reported where a Gateway does not say so itself.
    pub host: Host,
}

/// Where Gateways live; written `host`, `service`, or the ranges of a pool.
///
/// ```
/// use sluicegate::translate::Addresses;
///
/// assert_eq!("service".parse(), Ok(Addresses::Service));
/// assert!(matches!("10.0.0.0/28,10.0.1.5-10.0.1.9".parse()?, Addresses::Pool(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addresses {
    /// All Gateways share the addresses of the host, unless they ask for others of its addresses.
    #[default]
    Host,
    /// Each Gateway gets addresses of its own, which must be the host's.
    Pool(Ranges),
    /// Each Gateway is reached through a Service that leads to ports of this host. Something else
    /// keeps the Service: the Kubernetes source.
    Service,
}

/// Which GatewayClasses are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Controller {
    /// Every class, whatever controller it names: there is nobody else to serve it.
    #[default]
    Any,
    /// The classes that name this controller.
    Named(GatewayController),
}

/// What is bound and reported where a Gateway does not say so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// The address to bind. Default: `::`, all interfaces and both address families.
    pub bind: IpAddr,
    /// The address to report where `bind` is all interfaces. Default: 127.0.0.1.
    pub advertise: IpAddr,
}

impl Host {
    /// Binds `bind`; where that is all interfaces, `advertise` is the address to report.
    pub fn new(bind: IpAddr, advertise: IpAddr) -> Self {
        Self { bind, advertise }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self { bind: Ipv6Addr::UNSPECIFIED.into(), advertise: Ipv4Addr::LOCALHOST.into() }
    }
}

impl Settings {
    /// Serves only the classes that name this controller.
    #[must_use]
    pub fn with_controller(mut self, name: GatewayController) -> Self {
        self.controller = Controller::Named(name);
        self
    }

    /// Gateways live there.
    #[must_use]
    pub fn with_addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// Gateways that do not ask for an address live here.
    #[must_use]
    pub fn with_host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }
}

impl FromStr for Addresses {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        match text {
            "host" => Ok(Self::Host),
            "service" => Ok(Self::Service),
            ranges => ranges.parse().map(Self::Pool),
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Pool(ranges) => ranges.fmt(f),
            Self::Service => f.write_str("service"),
        }
    }
}
