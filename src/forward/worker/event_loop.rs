//! The event loop of a worker.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use mio::event::Event;
use mio::{Events, Poll};

use super::acceptor::Acceptor;
use super::connection_set::ConnectionSet;
use super::listeners::Listeners;
use super::mailbox::{Command, Mailbox};
use super::spread::choose_worker;
use super::token::Subject;
use crate::forward::engine::Engine;
use crate::forward::flow::Readiness;

/// Maximum number of events of a turn.
const MAX_EVENTS: usize = 256;

/// Maximum number of connections that are accepted in a turn, and of those that are taken over from
/// other workers, so that a burst of clients does not delay open connections.
const MAX_ACCEPTS: usize = 16;

/// Returns the maximum for the settings of an engine. Each accepted connection dials, and the
/// results come in a later turn: a burst without a maximum could exceed the limit of dials to a
/// backend that answers at once.
fn max_accepts(engine: &Engine) -> usize {
    (engine.dials_per_backend / (2 * engine.settings.workers.get())).clamp(1, MAX_ACCEPTS)
}

/// A worker: its event queue, listening sockets and connections.
pub(super) struct EventLoop {
    number: usize,
    engine: Arc<Engine>,
    /// All workers.
    mailboxes: Arc<[Mailbox]>,
    commands: Receiver<Command>,
    poll: Poll,
    listeners: Listeners,
    connections: ConnectionSet,
    /// Maximum number of connections that begin in a turn.
    max_accepts: usize,
    /// The mailbox may contain commands.
    has_commands: bool,
    /// The last turn panicked, so it may have lost events.
    is_recovering: bool,
    is_stopping: bool,
    /// The time of the turn.
    now: Instant,
}

impl EventLoop {
    /// Creates the loop of a worker.
    ///
    /// # Errors
    /// The error of the operating system, if it cannot duplicate the handle of the event queue.
    pub(super) fn new(
        number: usize,
        engine: Arc<Engine>,
        mailboxes: Arc<[Mailbox]>,
        commands: Receiver<Command>,
        poll: Poll,
    ) -> io::Result<Self> {
        let weak = Arc::downgrade(&mailboxes);
        let retry = Arc::new(move || {
            if let Some(mailboxes) = weak.upgrade() {
                mailboxes[number].send(Command::Retry);
            }
        });
        let registry = poll.registry().try_clone()?;
        Ok(Self {
            number,
            connections: ConnectionSet::new(number, engine.clone(), mailboxes.clone(), registry),
            listeners: Listeners::new(number, retry),
            max_accepts: max_accepts(&engine),
            engine,
            mailboxes,
            commands,
            poll,
            has_commands: false,
            is_recovering: false,
            is_stopping: false,
            now: Instant::now(),
        })
    }

    /// Runs until it is stopped, and then resets all connections.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        while !self.is_stopping {
            self.run_turn(&mut events);
        }
        self.stop();
    }

    /// Waits for events, and performs a turn.
    pub(super) fn run_turn(&mut self, events: &mut Events) {
        let timeout = self.next_time().map(|time| time.saturating_duration_since(self.now));
        match self.poll.poll(events, timeout) {
            // A signal interrupted the call, so there are no events.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // All other errors mean that the call is wrong.
            result => result.expect("BUG: cannot wait for events"),
        }
        // A defect, such as a panic of a log subscriber, must not end all connections. The panic
        // handler reports it.
        self.is_recovering = catch_unwind(AssertUnwindSafe(|| self.turn(events))).is_err();
    }

    fn turn(&mut self, events: &Events) {
        self.now = Instant::now();
        self.connections.start_turn(self.now);
        if self.is_recovering {
            self.recover();
        }
        for event in events {
            match Subject::of(event.token()) {
                Subject::Waker => self.has_commands = true,
                Subject::Listener(number) => self.listeners.note_clients(number),
                Subject::Connection(key, socket) => {
                    self.connections.ready(key, socket, readiness(event));
                }
            }
        }
        self.connections.resume();
        // A command may have changed the deadline in the meantime.
        if self.has_commands || self.connections.is_drain_due() {
            self.handle_commands();
        }
        self.accept();
        self.connections.act_at_deadlines();
        self.connections.write_lines();
    }

    /// Tries all listening sockets, and lets the event queue report all connections again. This is
    /// a part of the turn, so that a panic during it has the same effect as any other.
    fn recover(&mut self) {
        self.has_commands = true;
        self.listeners.recover();
        self.connections.recover();
    }

    /// Returns the time at which the loop acts without an event.
    fn next_time(&self) -> Option<Instant> {
        if self.has_commands || self.is_recovering {
            return Some(self.now);
        }
        let times = [self.listeners.next_accept(self.now), self.connections.next_time()];
        times.into_iter().flatten().min()
    }

    /// Handles the commands of the mailbox. Connections beyond the maximum of a turn wait for the
    /// next turn.
    fn handle_commands(&mut self) {
        self.mailboxes[self.number].note_reading();
        self.has_commands = true;
        let mut served = 0;
        while served < self.max_accepts {
            match self.commands.try_recv() {
                Ok(Command::Listen { number, socket, listener }) => {
                    self.listeners.add(number, Acceptor::new(socket, listener));
                }
                Ok(Command::Close { number, closed }) => self.listeners.close(number, closed),
                Ok(Command::SetDeadline { socket, deadline }) => {
                    self.connections.set_deadline(socket, deadline);
                }
                Ok(Command::Serve(accepted)) => {
                    served += 1;
                    self.connections.serve(accepted);
                }
                Ok(Command::Retry) => self.listeners.note_permit(),
                Ok(Command::StopAccepting(closed)) => {
                    self.listeners.close_all();
                    drop(closed);
                }
                Ok(Command::Stop) => self.is_stopping = true,
                Err(_) => {
                    self.has_commands = false;
                    return;
                }
            }
        }
    }

    /// Accepts connections, and gives each to the worker with the fewest.
    fn accept(&mut self) {
        for _ in 0..self.max_accepts {
            let Some(accepted) = self.listeners.accept(&self.engine, self.now) else { return };
            let worker = choose_worker(self.number, &self.mailboxes);
            self.mailboxes[worker].add_connection();
            if worker == self.number {
                self.connections.serve(accepted);
            } else {
                self.mailboxes[worker].send(Command::Serve(accepted));
            }
        }
    }

    /// Ends all connections, including those that other workers have given to this one.
    fn stop(mut self) {
        self.listeners.close_all();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Serve(accepted) = command {
                self.connections.add(accepted);
            }
        }
        self.connections.end_all();
    }
}

/// Returns the readiness that an event reports.
fn readiness(event: &Event) -> Readiness {
    Readiness {
        is_readable: event.is_readable() || event.is_read_closed(),
        is_writable: event.is_writable() || event.is_write_closed(),
        has_ended: event.is_read_closed(),
        // Only Linux reports urgent data. On another system, a short read does not prove that the
        // socket is empty.
        is_urgent: event.is_priority() || cfg!(not(target_os = "linux")),
        is_lost: event.is_error(),
    }
}
