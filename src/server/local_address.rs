//! The addresses of this host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Detects an address of this host that other hosts can reach. Returns 127.0.0.1 if there is none.
pub(super) fn detect() -> IpAddr {
    // Addresses reserved for documentation (RFC 5737, RFC 3849): the kernel only looks up the
    // route; no packet is sent.
    let remote_ipv4 = Ipv4Addr::new(192, 0, 2, 1);
    let remote_ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    source_address_for(remote_ipv4.into(), Ipv4Addr::UNSPECIFIED.into())
        .or_else(|_| source_address_for(remote_ipv6.into(), Ipv6Addr::UNSPECIFIED.into()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Returns the addresses of all interfaces.
#[cfg(target_os = "linux")]
pub(super) fn list() -> io::Result<Vec<IpAddr>> {
    let interfaces = nix::ifaddrs::getifaddrs()?;
    Ok(interfaces.filter_map(|interface| to_ip(&interface.address?)).collect())
}

#[cfg(target_os = "linux")]
fn to_ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(address), _) => Some(address.ip().into()),
        (None, Some(address)) => Some(address.ip().into()),
        (None, None) => None,
    }
}

/// Returns no address: translation adds the advertised one and loopback addresses.
#[cfg(not(target_os = "linux"))]
pub(super) fn list() -> io::Result<Vec<IpAddr>> {
    Ok(Vec::new())
}

/// Returns the source address that the kernel selects for packets to `remote`. Connecting a UDP
/// socket selects it without sending a packet.
fn source_address_for(remote: IpAddr, unspecified: IpAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((unspecified, 0))?;
    socket.connect((remote, 9))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn list_contains_loopback_and_the_detected_address() {
        let addresses = list().unwrap();
        assert!(addresses.contains(&Ipv4Addr::LOCALHOST.into()), "{addresses:?}");
        assert!(addresses.contains(&detect()), "{addresses:?}");
    }
}
