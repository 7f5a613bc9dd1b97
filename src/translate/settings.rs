//! Settings of translation.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use super::ranges::Ranges;
use super::special_addresses::SpecialAddresses;
use crate::model::{GatewayController, InvalidScalar, NamespaceName};

/// Settings of [`translate`](super::translate).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The GatewayClasses to serve. Default: all.
    pub controller: Controller,
    /// The addresses of Gateways. Default: those of the host.
    pub addresses: Addresses,
    /// The addresses to bind and to advertise.
    pub host: Host,
    /// The addresses of this host, at which listeners on all interfaces are reached. A backend must
    /// not lead there. Loopback addresses need not be among them. Default: none.
    pub own_addresses: BTreeSet<IpAddr>,
    /// The listening sockets of this program apart from those of Gateways, such as the socket of
    /// its API. A backend must not lead there. Default: none.
    pub own_sockets: BTreeSet<SocketAddr>,
    /// `true` if the endpoints of backends may have loopback addresses. They lead to programs of
    /// this host that no other host reaches. Default: `true`.
    pub local_endpoints: bool,
    /// The special addresses that Gateways may request. Default: all.
    pub special_addresses: SpecialAddresses,
    /// The maximum number of listeners of all Gateways of a namespace. Further listeners are not
    /// accepted; older Gateways have precedence. Default: no limit.
    pub listeners_per_namespace: Option<NonZeroU32>,
}

/// The addresses of Gateways. Text form: `host`, `service/` and a namespace, or the ranges of a
/// pool.
///
/// ```
/// use sluicegate::translate::Addresses;
///
/// let services = Addresses::Service("sluicegate-system".parse()?);
/// assert_eq!("service/sluicegate-system".parse::<Addresses>()?, services);
/// assert!(matches!("10.0.0.0/28,10.0.1.5-10.0.1.9".parse()?, Addresses::Pool(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addresses {
    /// All Gateways share the addresses of the host. A Gateway listens on [`Settings::host`], or on
    /// the addresses of the host that it requests.
    #[default]
    Host,
    /// Each Gateway has addresses of its own. They must be addresses of the host.
    Pool(Ranges),
    /// Each Gateway is reached through a Service in this namespace, whose `targetPort`s this host
    /// binds. The Kubernetes source creates and updates the Services. No one but the operator of
    /// the gateway may have permission to edit Services in the namespace.
    Service(NamespaceName),
}

/// The GatewayClasses to serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Controller {
    /// All classes, whatever controller they name: no other controller reads these objects.
    #[default]
    Any,
    /// The classes that name this controller.
    Named(GatewayController),
}

/// The addresses to bind and to advertise: for Gateways that request no address and, with
/// [`Addresses::Service`], the bind address of the pod ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// The address to bind. Default: `::`, all interfaces and both address families.
    pub bind: IpAddr,
    /// The address to advertise if `bind` is unspecified (all interfaces). Default: 127.0.0.1.
    pub advertise: IpAddr,
}

impl Host {
    /// Creates the setting to bind `bind`, and to advertise `advertise` if `bind` is unspecified.
    pub fn new(bind: IpAddr, advertise: IpAddr) -> Self {
        Self { bind, advertise }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self { bind: Ipv6Addr::UNSPECIFIED.into(), advertise: Ipv4Addr::LOCALHOST.into() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            controller: Controller::default(),
            addresses: Addresses::default(),
            host: Host::default(),
            own_addresses: BTreeSet::new(),
            own_sockets: BTreeSet::new(),
            local_endpoints: true,
            special_addresses: SpecialAddresses::default(),
            listeners_per_namespace: None,
        }
    }
}

impl Settings {
    /// Serves only the classes that name this controller.
    #[must_use]
    pub fn with_controller(mut self, name: GatewayController) -> Self {
        self.controller = Controller::Named(name);
        self
    }

    /// Sets the addresses of Gateways.
    #[must_use]
    pub fn with_addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// Sets the addresses to bind and to advertise.
    #[must_use]
    pub fn with_host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Sets the special addresses that Gateways may request.
    #[must_use]
    pub fn with_special_addresses(mut self, special_addresses: SpecialAddresses) -> Self {
        self.special_addresses = special_addresses;
        self
    }

    /// Sets the maximum number of listeners of all Gateways of a namespace.
    #[must_use]
    pub fn with_listeners_per_namespace(mut self, limit: Option<NonZeroU32>) -> Self {
        self.listeners_per_namespace = limit;
        self
    }

    /// Sets the addresses of this host.
    #[must_use]
    pub fn with_own_addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.own_addresses = addresses.into_iter().collect();
        self
    }

    /// Sets the listening sockets of this program apart from those of Gateways.
    #[must_use]
    pub fn with_own_sockets(mut self, sockets: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.own_sockets = sockets.into_iter().collect();
        self
    }

    /// Allows or refuses backends whose endpoints have loopback addresses.
    #[must_use]
    pub fn with_local_endpoints(mut self, is_allowed: bool) -> Self {
        self.local_endpoints = is_allowed;
        self
    }
}

impl FromStr for Addresses {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        match (text, text.strip_prefix("service/")) {
            ("host", _) => Ok(Self::Host),
            (_, Some(namespace)) => namespace.parse().map(Self::Service),
            (ranges, None) => {
                let ranges: Ranges = ranges.parse()?;
                ranges.check_pool()?;
                Ok(Self::Pool(ranges))
            }
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Pool(ranges) => ranges.fmt(f),
            Self::Service(namespace) => write!(f, "service/{namespace}"),
        }
    }
}
