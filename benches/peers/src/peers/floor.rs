//! The least that a proxy with epoll can do: a relay with buffers, on one thread. It has no log, no
//! counters, no limits and no `splice`. An error of one side closes both sides without a report.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use slab::Slab;

use super::{Proxy, Route};
use crate::ports::loopback;
use crate::socket;

/// The role of this program as that proxy.
pub(crate) const RELAY: &str = "floor";

/// Size of the buffer, which all connections share.
const BUFFER: usize = 64 * 1024;

/// Bit of a token for the listeners; the lowest bit is the side.
const LISTENER: usize = 1 << 62;

pub(crate) const NAME: &str = "floor";

struct Floor {
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    Some(Box::new(Floor { program: env::current_exe().ok()? }))
}

impl Proxy for Floor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "mio, recv and send".to_owned()
    }

    fn command(&self, routes: &[Route], _folder: &Path) -> io::Result<Option<Command>> {
        let ports = routes.iter().flat_map(|route| [route.listen, route.connect]);
        let mut command = Command::new(&self.program);
        command.arg(RELAY).args(ports.map(|port| OsString::from(port.to_string())));
        Ok(Some(command))
    }
}

/// Both sides of a connection, the client's first.
struct Connection {
    streams: [TcpStream; 2],
    /// Bytes that each side has not taken yet.
    waiting: [VecDeque<u8>; 2],
    /// `true` if the side has sent its end.
    has_ended: [bool; 2],
}

impl Connection {
    /// Carries the available bytes from one side to the other. Returns `false` at the end of both.
    /// `may_end` is set if the event announced the end, so that no other event follows it.
    fn carry(&mut self, from: usize, may_end: bool, buffer: &mut [u8]) -> bool {
        let to = 1 - from;
        loop {
            if !self.flush(to) {
                return false;
            }
            if self.has_ended[from] || !self.waiting[to].is_empty() {
                return true;
            }
            match recv(&self.streams[from], &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => {
                    self.has_ended[from] = true;
                    let is_over = self.has_ended[to];
                    return !is_over && self.streams[to].shutdown(Shutdown::Write).is_ok();
                }
                Ok((count, _)) => {
                    let written = match self.write(to, &buffer[..count]) {
                        Ok(written) => written,
                        Err(Errno::AGAIN) => 0,
                        Err(_) => return false,
                    };
                    self.waiting[to].extend(&buffer[written..count]);
                    if count < buffer.len() && !may_end {
                        return true;
                    }
                }
                Err(error) => return error == Errno::AGAIN,
            }
        }
    }

    /// Writes the waiting bytes to a side. Returns `false` if the side is lost.
    fn flush(&mut self, to: usize) -> bool {
        while !self.waiting[to].is_empty() {
            match self.write(to, self.waiting[to].as_slices().0) {
                Ok(written) => drop(self.waiting[to].drain(..written)),
                Err(error) => return error == Errno::AGAIN,
            }
        }
        true
    }

    fn write(&self, to: usize, bytes: &[u8]) -> rustix::io::Result<usize> {
        send(&self.streams[to], bytes, SendFlags::NOSIGNAL)
    }
}

/// Forwards from the first port of each pair to the second.
pub(crate) fn run(ports: &[u16]) -> anyhow::Result<()> {
    let mut poll = Poll::new()?;
    let mut listeners = Vec::new();
    for (index, pair) in ports.chunks_exact(2).enumerate() {
        let mut listener = TcpListener::from_std(socket::listen(loopback(pair[0]))?);
        poll.registry().register(&mut listener, Token(LISTENER | index), Interest::READABLE)?;
        listeners.push((listener, SocketAddr::from(loopback(pair[1]))));
    }
    let mut connections = Slab::<Connection>::new();
    let (mut events, mut buffer) = (Events::with_capacity(256), vec![0; BUFFER]);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Token(token) = event.token();
            if token & LISTENER != 0 {
                let (listener, backend) = &listeners[token & !LISTENER];
                while let Ok((downstream, _)) = listener.accept() {
                    accept(downstream, *backend, &poll, &mut connections)?;
                }
                continue;
            }
            let (key, side) = (token >> 1, token & 1);
            let Some(connection) = connections.get_mut(key) else { continue };
            let mut is_open = true;
            if event.is_readable() || event.is_read_closed() {
                is_open &= connection.carry(side, event.is_read_closed(), &mut buffer);
            }
            if is_open && event.is_writable() && !connection.waiting[side].is_empty() {
                is_open &= connection.carry(1 - side, true, &mut buffer);
            }
            if !is_open {
                connections.remove(key);
            }
        }
    }
}

/// Dials the backend of a client.
fn accept(
    mut downstream: TcpStream,
    backend: SocketAddr,
    poll: &Poll,
    connections: &mut Slab<Connection>,
) -> io::Result<()> {
    let mut upstream = TcpStream::connect(backend)?;
    downstream.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let slot = connections.vacant_entry();
    let (token, both) = (slot.key() << 1, Interest::READABLE | Interest::WRITABLE);
    poll.registry().register(&mut downstream, Token(token), both)?;
    poll.registry().register(&mut upstream, Token(token | 1), both)?;
    slot.insert(Connection {
        streams: [downstream, upstream],
        waiting: Default::default(),
        has_ended: [false; 2],
    });
    Ok(())
}
