//! Commands to a worker, from the owner of the forwarder and from other workers.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::time::Instant;

use mio::{Interest, Poll, Registry, Waker};
use tokio::sync::oneshot;

use super::accepted::Accepted;
use super::token::{WAKER, of_listener};
use crate::forward::listener::{ListeningSocket, SharedListener};

/// A command to a worker.
pub(in crate::forward) enum Command {
    /// Accept connections on a socket that is registered with this number.
    Listen { number: usize, socket: mio::net::TcpListener, listener: Arc<SharedListener> },
    /// Accept the connections in the backlog, and close the socket.
    Close { number: usize, closed: oneshot::Sender<()> },
    /// Reset the connections of a closed listener at this time; `None` removes the deadline.
    SetDeadline { socket: Weak<ListeningSocket>, deadline: Option<Instant> },
    /// Serve a connection that another worker has accepted.
    Serve(Accepted),
    /// Try to accept again: a permit was returned.
    Retry,
    /// Close all listening sockets. The sender is dropped after that.
    StopAccepting(Sender<()>),
    /// Reset all connections and end.
    Stop,
}

/// Sends commands to a worker, and counts its connections.
///
/// The alignment prevents false sharing of the counts.
#[derive(Debug)]
#[repr(align(128))]
pub(in crate::forward) struct Mailbox {
    commands: Sender<Command>,
    waker: Waker,
    /// `true` from a wake until the worker reads its commands. One wake is enough for many
    /// commands.
    is_woken: AtomicBool,
    registry: Registry,
    /// Number of live connections, including those in the mailbox.
    connections: AtomicUsize,
}

impl Mailbox {
    /// Creates the mailbox of a worker, with the receiver of its commands and its event queue.
    ///
    /// # Errors
    /// The error of the operating system, if it cannot create an event queue (epoll).
    pub(super) fn new() -> io::Result<(Self, Receiver<Command>, Poll)> {
        let poll = Poll::new()?;
        let (commands, receiver) = mpsc::channel();
        let mailbox = Self {
            commands,
            waker: Waker::new(poll.registry(), WAKER)?,
            is_woken: AtomicBool::new(false),
            registry: poll.registry().try_clone()?,
            connections: AtomicUsize::new(0),
        };
        Ok((mailbox, receiver, poll))
    }

    /// Lets the worker accept connections on a socket. `number` identifies it on this worker.
    ///
    /// # Errors
    /// The error of registering the socket with the event queue.
    pub(in crate::forward) fn listen(
        &self,
        number: usize,
        socket: TcpListener,
        listener: Arc<SharedListener>,
    ) -> io::Result<()> {
        let mut socket = mio::net::TcpListener::from_std(socket);
        // Registered here, so that the caller learns of an error.
        self.registry.register(&mut socket, of_listener(number), Interest::READABLE)?;
        self.send(Command::Listen { number, socket, listener });
        Ok(())
    }

    /// Sends a command and wakes the worker.
    pub(in crate::forward) fn send(&self, command: Command) {
        // The channel fails only if the worker has ended, with its listeners and connections.
        let _ = self.commands.send(command);
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            // The waker fails only if the event queue is closed, so the worker has ended.
            let _ = self.waker.wake();
        }
    }

    /// Notes that the worker reads its commands: later ones need another wake.
    pub(super) fn note_reading(&self) {
        // A swap synchronizes with the swap of each sender, so the worker sees earlier commands.
        self.is_woken.swap(false, Ordering::AcqRel);
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection that the worker will serve.
    pub(super) fn add_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a connection.
    pub(super) fn remove_connection(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
