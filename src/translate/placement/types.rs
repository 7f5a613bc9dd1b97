//! Requests for addresses, and their results.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::report::AddressReport;
use crate::model::{Gateway, NamespacedName, PortNumber};
use crate::plan::{DialAddress, ListenAddress, SocketId};

/// A Gateway that needs a placement.
#[derive(Debug)]
pub(in crate::translate) struct AddressRequest<'a> {
    pub(in crate::translate) name: &'a NamespacedName,
    pub(in crate::translate) gateway: &'a Gateway,
    /// The requested addresses; `None` stands for any address.
    pub(in crate::translate) addresses: Vec<Option<IpAddr>>,
    /// The special addresses that the Gateway requests, but may not request.
    pub(in crate::translate) denied: Vec<IpAddr>,
    /// The ports of the valid listeners.
    pub(in crate::translate) ports: Vec<PortNumber>,
}

/// The sockets of a Gateway, and the report on its addresses.
#[derive(Debug)]
pub(in crate::translate) struct Placement {
    pub(super) targets: BindTargets,
    pub(in crate::translate) report: AddressReport,
}

/// The addresses that the listeners of a Gateway bind.
#[derive(Debug)]
pub(super) enum BindTargets {
    /// The listener's own port, at these addresses of the host.
    Addresses(Vec<Address>),
    /// Pod ports, by the listener's port.
    PodPorts(BTreeMap<PortNumber, Vec<ListenAddress>>),
}

/// An address of a Gateway, without the port that a listener adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) bind: IpAddr,
    pub(super) advertised: IpAddr,
}

impl Placement {
    /// Returns the addresses that a listener on this port opens; none if it has nothing to bind.
    pub(in crate::translate) fn listen_addresses(&self, port: PortNumber) -> Vec<ListenAddress> {
        match &self.targets {
            BindTargets::Addresses(addresses) => {
                addresses.iter().map(|address| address.with_port(port)).collect()
            }
            BindTargets::PodPorts(ports) => ports.get(&port).cloned().unwrap_or_default(),
        }
    }
}

impl Address {
    /// Creates an address that is both bound and advertised.
    pub(super) fn same(ip: IpAddr) -> Self {
        Self { bind: ip, advertised: ip }
    }

    fn with_port(self, port: PortNumber) -> ListenAddress {
        let at = |ip| SocketAddr::new(ip, port.get());
        let advertised = DialAddress::Ip(at(self.advertised));
        ListenAddress::new(SocketId::tcp(at(self.bind)), Some(advertised))
    }
}
