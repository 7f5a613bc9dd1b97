//! The host's own address, as a neighbour would dial it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// An address of this host that others can dial; 127.0.0.1 where there is none.
pub(super) fn of_this_host() -> IpAddr {
    towards_others().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The system chooses the address by the route it would take. Connecting a UDP socket makes it
/// choose, and sends nothing; the far address is one that documentation may use, and nobody has.
fn towards_others() -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
    Ok(socket.local_addr()?.ip())
}
