//! Free ports.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::process;

use anyhow::Context as _;

/// Below the ports that systems give to outgoing connections, so that none of those can take a port
/// between its choice and its use.
const FIRST: u16 = 10_000;
const LAST: u16 = 30_000;

/// Hands out each port once: what TIME_WAIT holds of one proxy is not in the way of the next.
#[derive(Debug)]
pub(crate) struct Ports(Cell<u16>);

impl Ports {
    pub(crate) fn new() -> Self {
        // Two runs at once do not begin at the same place.
        let spread = u32::from(LAST - FIRST);
        let offset = process::id().wrapping_mul(97) % spread;
        Self(Cell::new(FIRST + u16::try_from(offset).unwrap_or_default()))
    }

    pub(crate) fn free(&self) -> anyhow::Result<u16> {
        for _ in FIRST..LAST {
            let port = self.0.get();
            self.0.set(if port + 1 < LAST { port + 1 } else { FIRST });
            if TcpListener::bind(loopback(port)).is_ok() {
                return Ok(port);
            }
        }
        None.with_context(|| format!("no port from {FIRST} to {LAST} is free"))
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}
