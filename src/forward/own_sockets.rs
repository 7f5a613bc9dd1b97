//! The listening sockets of this process. No connection is dialled to them: each one would open
//! another connection to this process, until descriptors or ports are exhausted.
//!
//! Translation refuses backends that lead back to a Gateway, with a condition. It cannot know all
//! addresses of this host, and a plan can be built by hand, so the engine checks each dial.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Time for which a result of [`has_address`] is cached.
const CACHE_TIME: Duration = Duration::from_secs(10);

/// Maximum number of cached results.
const MAX_CACHED: usize = 4096;

/// The listening sockets of the forwarder and of the embedding program.
#[derive(Debug)]
pub(super) struct OwnSockets {
    /// The addresses of the sockets by port. An address can occur twice: sockets of the program,
    /// such as those of its health endpoints, are never removed.
    addresses: RwLock<HashMap<u16, Vec<IpAddr>>>,
    /// Cached results of [`has_address`], with the time of each.
    local: Mutex<HashMap<IpAddr, (bool, Instant)>>,
}

impl OwnSockets {
    pub(super) fn new(program: &BTreeSet<SocketAddr>) -> Self {
        let own = Self { addresses: RwLock::default(), local: Mutex::default() };
        program.iter().for_each(|socket| own.add(*socket));
        own
    }

    /// Adds a socket.
    pub(super) fn add(&self, socket: SocketAddr) {
        let mut addresses = self.addresses.write().unwrap_or_else(PoisonError::into_inner);
        addresses.entry(socket.port()).or_default().push(socket.ip().to_canonical());
    }

    /// Removes the socket of a listener.
    pub(super) fn remove(&self, socket: SocketAddr) {
        let mut addresses = self.addresses.write().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut of_port) = addresses.entry(socket.port()) {
            let ip = socket.ip().to_canonical();
            if let Some(index) = of_port.get().iter().position(|address| *address == ip) {
                of_port.get_mut().swap_remove(index);
            }
            if of_port.get().is_empty() {
                of_port.remove();
            }
        }
    }

    /// Returns `true` if a connection to this endpoint would reach one of the sockets. A socket on
    /// all interfaces has all addresses of this host.
    ///
    /// # Errors
    /// The error of opening a socket to find out if this host has the address.
    pub(super) fn contains(&self, endpoint: SocketAddr, now: Instant) -> io::Result<bool> {
        let is_on_all = {
            let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
            let Some(addresses) = addresses.get(&endpoint.port()) else { return Ok(false) };
            let ip = dialled(endpoint.ip());
            if addresses.contains(&ip) {
                return Ok(true);
            }
            // An IPv6 socket on all interfaces accepts IPv4 connections as well.
            addresses.contains(&Ipv6Addr::UNSPECIFIED.into())
                || ip.is_ipv4() && addresses.contains(&Ipv4Addr::UNSPECIFIED.into())
        };
        if is_on_all { self.is_local(dialled(endpoint.ip()), now) } else { Ok(false) }
    }

    /// Returns `true` if this host has the address.
    ///
    /// # Errors
    /// The error of opening a socket.
    fn is_local(&self, ip: IpAddr, now: Instant) -> io::Result<bool> {
        if ip.is_loopback() {
            return Ok(true);
        }
        let lock = || self.local.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&ip).copied();
        match known {
            Some((is_local, since)) if now < since + CACHE_TIME => Ok(is_local),
            _ => {
                let is_local = has_address(ip)?;
                let mut local = lock();
                if local.len() >= MAX_CACHED {
                    local.clear();
                }
                local.insert(ip, (is_local, now));
                Ok(is_local)
            }
        }
    }
}

/// Returns `true` if this host has the address: the kernel then selects the same address as the
/// source of packets to it. The socket sends no packet.
///
/// # Errors
/// The error of opening a socket.
fn has_address(ip: IpAddr) -> io::Result<bool> {
    let any = if ip.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        IpAddr::from(Ipv6Addr::UNSPECIFIED)
    };
    let socket = UdpSocket::bind((any, 0))?;
    // The port does not matter. Without a route to the address, connect() fails.
    let source = socket.connect((ip, 9)).and_then(|()| socket.local_addr());
    Ok(source.is_ok_and(|source| source.ip() == ip))
}

/// Returns the address to which the kernel connects: an unspecified address means loopback.
fn dialled(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_that_reach_own_sockets_are_found() {
        let program = ["127.0.0.1:6080", "[::1]:8081"].map(|text| text.parse().unwrap());
        let own = OwnSockets::new(&program.into());
        own.add("0.0.0.0:80".parse().unwrap());
        own.add("[::]:90".parse().unwrap());
        own.add("192.0.2.1:100".parse().unwrap());
        let contains =
            |endpoint: &str| own.contains(endpoint.parse().unwrap(), Instant::now()).unwrap();
        for endpoint in [
            "127.0.0.1:6080",
            "[::ffff:127.0.0.1]:6080",
            "0.0.0.0:6080",
            "[::]:8081",
            "127.0.0.1:80",
            "127.9.9.9:80",
            "127.0.0.1:90",
            "[::1]:90",
            "192.0.2.1:100",
        ] {
            assert!(contains(endpoint), "{endpoint}");
        }
        // 192.0.2.0/24 is for documentation, so no host has an address of it.
        for endpoint in ["127.0.0.1:81", "[::1]:80", "192.0.2.1:80", "192.0.2.2:100"] {
            assert!(!contains(endpoint), "{endpoint}");
        }
        own.remove("0.0.0.0:80".parse().unwrap());
        assert!(!contains("127.0.0.1:80"));
    }
}
