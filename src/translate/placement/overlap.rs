//! Addresses that cannot be bound beside each other.

use std::net::IpAddr;

/// Returns `true` if two sockets cannot be bound to these addresses on the same port.
pub(in crate::translate) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    covers(one, other) || covers(other, one)
}

/// Returns `true` if a socket bound to `wide` accepts the connections to `narrow` too.
pub(super) fn covers(wide: IpAddr, narrow: IpAddr) -> bool {
    // An IPv6 socket on all interfaces accepts IPv4 connections as well.
    wide == narrow || (wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4()))
}
