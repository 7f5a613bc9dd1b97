//! What translation needs to know beside the objects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::GatewayController;

/// The controller name of this crate, where it needs one of its own.
pub const SLUICEGATE_CONTROLLER: &str = "sluicegate.dev/gateway-controller";

/// What [`translate`](super::translate) needs to know beside the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Which GatewayClasses are served. Default: every one.
    pub controller: Controller,
    /// Where Gateways live that do not ask for an address.
    pub host: Host,
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

/// All Gateways share the addresses of the host.
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

    /// Gateways that do not ask for an address live here.
    #[must_use]
    pub fn with_host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }
}
