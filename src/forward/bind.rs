//! Binds a socket of the plan.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::descriptors::DescriptorLimit;
use crate::plan::{BindError, BindErrorKind, SocketId};

/// Maximum number of connections in the accept queue of a socket. The kernel caps it
/// (`net.core.somaxconn`).
pub(super) const BACKLOG: i32 = 4096;

/// Binds the address of `socket`. Returns the address with its actual port, and the listening
/// socket.
///
/// # Errors
/// The first error of a socket call. No socket is left open.
pub(super) fn bind(
    socket: SocketId,
    descriptors: &DescriptorLimit,
) -> Result<(SocketAddr, TcpListener), BindError> {
    let address = socket.address;
    let bound = match bind_socket(address, descriptors) {
        // On a host without IPv6, all interfaces are all IPv4 interfaces.
        Err(error)
            if address.is_ipv6()
                && address.ip().is_unspecified()
                && is_ipv6_unavailable(&error) =>
        {
            bind_socket((Ipv4Addr::UNSPECIFIED, address.port()).into(), descriptors)
        }
        result => result,
    };
    bound.map_err(|error| new_error(socket, &error, descriptors))
}

/// Returns the error of opening a socket.
pub(super) fn new_error(
    socket: SocketId,
    error: &io::Error,
    descriptors: &DescriptorLimit,
) -> BindError {
    let kind = match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
            BindErrorKind::PortUnavailable
        }
        io::ErrorKind::AddrNotAvailable => BindErrorKind::AddressNotUsable,
        _ => BindErrorKind::NoResources,
    };
    BindError::new(socket, kind, describe(error, descriptors))
}

/// The socket is bound without `SO_REUSEPORT`. With it, bind() would succeed beside another process
/// of the same user, and the kernel would distribute connections over both processes.
fn bind_socket(
    address: SocketAddr,
    descriptors: &DescriptorLimit,
) -> io::Result<(SocketAddr, TcpListener)> {
    let socket = new_socket(address, descriptors)?;
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok((bound, listen(socket)?))
}

fn new_socket(address: SocketAddr, descriptors: &DescriptorLimit) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    descriptors.check(&socket)?;
    // Allows bind() while connections of an earlier process are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

fn listen(socket: Socket) -> io::Result<TcpListener> {
    // Accepted sockets inherit this option, which saves a system call per connection.
    socket.set_tcp_nodelay(true)?;
    // Inherited too. Keepalive detects clients that are lost without FIN or RST.
    socket.set_keepalive(true)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_ipv6_unavailable(error: &io::Error) -> bool {
    // io::ErrorKind has no stable kind for EAFNOSUPPORT. If IPv6 is disabled by sysctl, binding
    // `::` fails with EADDRNOTAVAIL.
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(target_os = "linux")]
const EAFNOSUPPORT: i32 = 97;
#[cfg(not(target_os = "linux"))]
const EAFNOSUPPORT: i32 = 47;

fn describe(error: &io::Error, descriptors: &DescriptorLimit) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; privileged ports need CAP_NET_BIND_SERVICE".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "no interface of this host has the address".to_owned(),
        _ => descriptors.describe(error),
    }
}
