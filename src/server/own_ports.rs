//! Bind errors whose cause is a socket of this program.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::plan::{BindError, BindErrorKind, ListenerId};

/// Returns bind errors with messages that name the program if one of its own sockets has the port.
/// The operating system does not report the owner of a port.
pub(super) fn explain(
    errors: &BTreeMap<ListenerId, Vec<BindError>>,
    own: &BTreeSet<SocketAddr>,
) -> BTreeMap<ListenerId, Vec<BindError>> {
    let mut errors = errors.clone();
    for error in errors.values_mut().flatten() {
        let is_own = own.iter().any(|socket| overlaps(*socket, error.socket.address));
        if is_own && error.kind == BindErrorKind::PortUnavailable {
            error.message = "address already in use by this gateway's program, such as its API or its health endpoints; use another port".to_owned();
        }
    }
    errors
}

fn overlaps(one: SocketAddr, other: SocketAddr) -> bool {
    let (ip, other_ip) = (one.ip().to_canonical(), other.ip().to_canonical());
    let is_same = ip == other_ip || ip.is_unspecified() || other_ip.is_unspecified();
    is_same && one.port() == other.port()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::SocketId;

    #[test]
    fn errors_name_the_program_if_it_has_the_port() {
        let own = BTreeSet::from(["127.0.0.1:6080".parse().unwrap()]);
        for (address, kind, is_own) in [
            ("[::]:6080", BindErrorKind::PortUnavailable, true),
            ("127.0.0.1:6080", BindErrorKind::PortUnavailable, true),
            ("[::ffff:127.0.0.1]:6080", BindErrorKind::PortUnavailable, true),
            ("[::]:6081", BindErrorKind::PortUnavailable, false),
            ("127.0.0.2:6080", BindErrorKind::PortUnavailable, false),
            ("[::]:6080", BindErrorKind::NoResources, false),
        ] {
            let error = BindError::new(SocketId::tcp(address.parse().unwrap()), kind, "");
            let errors = BTreeMap::from([("a/b/c".parse().unwrap(), vec![error])]);
            let explained = explain(&errors, &own);
            assert_eq!(explained != errors, is_own, "{address} {kind:?}");
        }
    }
}
