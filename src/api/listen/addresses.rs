//! Socket, names and URL of a server.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rustix::io::Errno;
use rustix::system::uname;
use tokio::net::{TcpListener, TcpSocket};

use crate::api::access::ApiHost;

/// Maximum number of connections in the accept queue; the kernel caps it (`net.core.somaxconn`).
const BACKLOG: u32 = 1024;

/// Addresses for documentation (RFC 5737, RFC 3849). No packet is sent to them.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// Binds an address. `[::]` means all addresses, also on a host without IPv6.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    with_fallback(address, bind_one)
}

/// Calls `bind` for an address and, if the host has no IPv6 for `[::]`, for 0.0.0.0.
fn with_fallback<T>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    match bind(address) {
        Err(error) if has_no_ipv6(&error) && address.ip() == Ipv6Addr::UNSPECIFIED => {
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        bound => bound,
    }
}

/// Returns `true` if the cause of an error is that the host has no IPv6: the kernel was built or
/// started without it (EAFNOSUPPORT), or `net.ipv6.conf.all.disable_ipv6` is set.
fn has_no_ipv6(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
        || error.kind() == ErrorKind::AddrNotAvailable
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Allows bind() while connections of an earlier process are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Returns `true` if an address can be reached from this host only.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Returns the hosts for the certificate of a server: the explicit ones, the address or the
/// addresses of the host, its name, and `localhost`.
pub(super) fn certificate_hosts(address: SocketAddr, explicit: &[ApiHost]) -> Vec<ApiHost> {
    let name = uname();
    let name = name.nodename().to_str().ok().and_then(|name| name.parse().ok());
    let localhost = ["localhost", "127.0.0.1", "::1"].map(|host| host.parse().ok());
    let hosts = explicit.iter().cloned();
    let hosts = hosts.chain(addresses(address).into_iter().map(ApiHost::from));
    let hosts = hosts.chain(name).chain(localhost.into_iter().flatten());
    hosts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the URL of a server, which clients use unless they have another one.
///
/// On loopback, its host is the address. Elsewhere, it is the first explicit host, or the address,
/// or an address of the host if the server listens on all.
pub(super) fn url(address: SocketAddr, explicit: &[ApiHost]) -> String {
    let first = explicit.first().filter(|_| !is_loopback(address)).cloned();
    let host = first.unwrap_or_else(|| {
        let first = addresses(address).into_iter().next();
        first.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).into()
    });
    let host = fmt::from_fn(|f| match host.address() {
        Some(IpAddr::V6(address)) => write!(f, "[{address}]"),
        _ => write!(f, "{host}"),
    });
    format!("https://{host}:{}", address.port())
}

/// Returns the address or, if it means all addresses of the host, those from which the host
/// connects to others.
fn addresses(address: SocketAddr) -> Vec<IpAddr> {
    if !address.ip().is_unspecified() {
        return vec![address.ip()];
    }
    let is_usable = |elsewhere: &IpAddr| elsewhere.is_ipv4() || address.is_ipv6();
    ELSEWHERE.into_iter().filter(is_usable).filter_map(source_address).collect()
}

/// Returns the source address of the route to another host.
fn source_address(elsewhere: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match elsewhere {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // The discard port. Connecting a UDP socket sends nothing.
    socket.connect((elsewhere, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(texts: &[&str]) -> Vec<ApiHost> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn all_addresses_are_those_of_ipv4_on_a_host_without_ipv6() {
        let bound = |address: &str, error: Errno| {
            let bind = |address: SocketAddr| {
                if address.is_ipv4() { Ok(address) } else { Err(io::Error::from(error)) }
            };
            with_fallback(address.parse().unwrap(), bind).ok().map(|address| address.to_string())
        };
        for (error, is_without_ipv6) in [
            (Errno::AFNOSUPPORT, true),
            (Errno::ADDRNOTAVAIL, true),
            (Errno::ADDRINUSE, false),
            (Errno::ACCESS, false),
            (Errno::MFILE, false),
        ] {
            let fallback = is_without_ipv6.then(|| "0.0.0.0:6443".to_owned());
            assert_eq!(bound("[::]:6443", error), fallback, "{error}");
            assert_eq!(bound("[::1]:6443", error), None, "{error}");
        }
    }

    #[test]
    fn url_has_the_host_for_clients() {
        for (address, explicit, expected) in [
            ("127.0.0.1:6080", &[][..], "https://127.0.0.1:6080"),
            ("[::1]:6080", &[], "https://[::1]:6080"),
            ("127.0.0.1:6080", &["a.example"], "https://127.0.0.1:6080"),
            ("192.0.2.7:6080", &[], "https://192.0.2.7:6080"),
            ("192.0.2.7:6080", &["b.example", "a.example"], "https://b.example:6080"),
            ("0.0.0.0:6080", &["a.example"], "https://a.example:6080"),
            ("[::]:6080", &["2001:db8::5"], "https://[2001:db8::5]:6080"),
        ] {
            let url = url(address.parse().unwrap(), &hosts(explicit));
            assert_eq!(url, expected, "{address}");
        }
        let any = url("0.0.0.0:6080".parse().unwrap(), &[]);
        assert!(!any.contains("0.0.0.0") && any.ends_with(":6080"), "{any}");
    }

    #[test]
    fn certificate_has_explicit_hosts_address_and_localhost() {
        let found = certificate_hosts("192.0.2.7:1".parse().unwrap(), &hosts(&["a.example"]));
        for host in hosts(&["a.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"]) {
            assert!(found.contains(&host), "{host}");
        }
        let any = certificate_hosts("[::]:1".parse().unwrap(), &[]);
        assert!(!any.contains(&hosts(&["::"])[0]));
    }

    #[test]
    fn loopback_is_found_in_all_notations() {
        for (address, expected) in [
            ("127.0.0.1:1", true),
            ("127.5.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.0.2.1:1", false),
        ] {
            assert_eq!(is_loopback(address.parse().unwrap()), expected, "{address}");
        }
    }
}
