//! Opening an address: one listening socket for each worker.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::plan::{BindError, BindErrorKind};

/// Connections that may wait to be accepted, on each socket; the system caps it (`somaxconn`).
pub(super) const BACKLOG: i32 = 4096;

/// The sockets of an address, one for each worker, and the address with its real port.
///
/// # Errors
/// Why the address cannot be had.
pub(super) fn bind(
    address: SocketAddr,
    workers: usize,
) -> Result<(SocketAddr, Vec<TcpListener>), BindError> {
    let bound = match bind_sockets(address, workers) {
        // A host without IPv6: all interfaces are then those of IPv4.
        Err(error)
            if address.is_ipv6()
                && address.ip().is_unspecified()
                && is_ipv6_unavailable(&error) =>
        {
            bind_sockets((Ipv4Addr::UNSPECIFIED, address.port()).into(), workers)
        }
        result => result,
    };
    bound.map_err(|error| BindError {
        address,
        kind: match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
                BindErrorKind::PortUnavailable
            }
            io::ErrorKind::AddrNotAvailable => BindErrorKind::AddressNotUsable,
            _ => BindErrorKind::NoResources,
        },
        message: describe(&error),
    })
}

fn bind_sockets(address: SocketAddr, workers: usize) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let first = new_socket(address)?;
    // The first socket is bound alone: SO_REUSEPORT would let it in beside another process of the
    // same user, and the two would take each other's connections.
    first.bind(&address.into())?;
    share_port(&first)?;
    let bound = first.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        let socket = new_socket(bound)?;
        share_port(&socket)?;
        socket.bind(&bound.into())?;
        sockets.push(socket);
    }
    // None of them listens before all are there: if one is wanting, those that did would reset the
    // connections they got.
    let sockets = sockets.into_iter().map(listen).collect::<io::Result<_>>()?;
    Ok((bound, sockets))
}

fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier process in TIME_WAIT do not keep the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

fn listen(socket: Socket) -> io::Result<TcpListener> {
    // Accepted sockets inherit it, which saves a system call for each.
    socket.set_tcp_nodelay(true)?;
    // So is this: a client that vanished without a word is found out, some day.
    socket.set_keepalive(true)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_ipv6_unavailable(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no stable kind; with IPv6 switched off, `::` is not available.
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(target_os = "linux")]
const EAFNOSUPPORT: i32 = 97;
#[cfg(not(target_os = "linux"))]
const EAFNOSUPPORT: i32 = 47;

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken".to_owned(),
        io::ErrorKind::PermissionDenied => "this process may not use the port".to_owned(),
        io::ErrorKind::AddrNotAvailable => "the address is not one of this host's".to_owned(),
        _ => error.to_string(),
    }
}
