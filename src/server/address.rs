//! The host's own address, as a neighbour would dial it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// An address of this host that others can dial; 127.0.0.1 where there is none.
pub(super) fn of_this_host() -> IpAddr {
    // Addresses that documentation may use, and nobody has.
    let far_ipv4 = Ipv4Addr::new(192, 0, 2, 1);
    let far_ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    towards(far_ipv4.into(), Ipv4Addr::UNSPECIFIED.into())
        .or_else(|_| towards(far_ipv6.into(), Ipv6Addr::UNSPECIFIED.into()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The system chooses an address by the route it would take to `far`. Connecting a UDP socket makes
/// it choose, and sends nothing.
fn towards(far: IpAddr, near: IpAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((near, 0))?;
    socket.connect((far, 9))?;
    Ok(socket.local_addr()?.ip())
}
