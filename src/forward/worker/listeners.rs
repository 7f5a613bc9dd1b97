//! The listening sockets of a worker. Those that have clients take turns.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::accepted::Accepted;
use super::acceptor::Acceptor;
use crate::forward::budget::Retry;
use crate::forward::engine::Engine;

/// The listening sockets of a worker.
pub(super) struct Listeners {
    worker: usize,
    acceptors: BTreeMap<usize, Acceptor>,
    /// The sockets whose clients may wait, in the order of their turns.
    waiting: VecDeque<usize>,
    retry: Retry,
    /// No permit was free. The budget calls `retry` when one is returned.
    is_without_permit: bool,
    /// No warning about permits is logged before this time.
    quiet_until: Option<Instant>,
}

/// Minimum time between two warnings that no permit is free.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

impl Listeners {
    pub(super) fn new(worker: usize, retry: Retry) -> Self {
        Self {
            worker,
            acceptors: BTreeMap::new(),
            waiting: VecDeque::new(),
            retry,
            is_without_permit: false,
            quiet_until: None,
        }
    }

    pub(super) fn add(&mut self, number: usize, acceptor: Acceptor) {
        self.acceptors.insert(number, acceptor);
        self.waiting.push_back(number);
    }

    /// Notes an event of a socket: clients wait.
    pub(super) fn note_clients(&mut self, number: usize) {
        if let Some(acceptor) = self.acceptors.get_mut(&number)
            && acceptor.note_clients()
        {
            self.waiting.push_back(number);
        }
    }

    /// Notes that a permit may be free.
    pub(super) fn note_permit(&mut self) {
        self.is_without_permit = false;
    }

    /// Forgets the states of the backlogs, so that all sockets are tried again.
    pub(super) fn recover(&mut self) {
        self.is_without_permit = false;
        self.acceptors.values_mut().for_each(Acceptor::forget);
        self.waiting = self.acceptors.keys().copied().collect();
    }

    /// Closes all sockets.
    pub(super) fn close_all(&mut self) {
        self.acceptors.clear();
    }

    /// Closes a socket after the connections in its backlog are accepted.
    pub(super) fn close(&mut self, number: usize, closed: oneshot::Sender<()>) {
        if let Some(acceptor) = self.acceptors.get_mut(&number) {
            if !acceptor.has_clients() {
                self.waiting.push_back(number);
            }
            acceptor.close(closed);
            self.is_without_permit = false;
        }
    }

    /// Accepts the next connection. The sockets take turns.
    pub(super) fn accept(&mut self, engine: &Engine, now: Instant) -> Option<Accepted> {
        self.next_accept(now).filter(|time| *time <= now)?;
        let Some(mut permit) = engine.budget.acquire(&self.retry) else {
            self.is_without_permit = true;
            self.warn_without_permit(engine, now);
            self.finish_closing();
            return None;
        };
        for _ in 0..self.waiting.len() {
            let number = self.waiting.pop_front()?;
            let Some(acceptor) = self.acceptors.get_mut(&number) else { continue };
            let is_due = acceptor.next_attempt(now).is_some_and(|time| time <= now);
            let accepted = match is_due {
                true => acceptor.accept(permit, self.worker, engine, now),
                false => Err(permit),
            };
            if acceptor.is_finished() {
                if let Some(acceptor) = self.acceptors.remove(&number) {
                    acceptor.finish();
                }
            } else if acceptor.has_clients() {
                self.waiting.push_back(number);
            }
            match accepted {
                Ok(accepted) => return Some(accepted),
                Err(unused) => permit = unused,
            }
        }
        None
    }

    /// Closes the sockets that stay open only for the clients in their backlogs. Without a permit,
    /// these clients could wait as long as a connection lasts, and another listener may need the
    /// address.
    fn finish_closing(&mut self) {
        let closing = self.acceptors.extract_if(.., |_, acceptor| acceptor.is_closing());
        closing.for_each(|(_, acceptor)| acceptor.finish());
    }

    fn warn_without_permit(&mut self, engine: &Engine, now: Instant) {
        if self.quiet_until.is_none_or(|until| until <= now) {
            self.quiet_until = Some(now + WARNING_INTERVAL);
            tracing::warn!(
                connections = engine.budget.limit(),
                "all connections that the limit of open files allows are in use, further clients \
                 wait in the backlog; raise the limit (RLIMIT_NOFILE, ulimit -n)"
            );
        }
    }

    /// Returns the time at which a connection may be accepted: `now`, or the end of a pause.
    pub(super) fn next_accept(&self, now: Instant) -> Option<Instant> {
        if self.is_without_permit {
            return None;
        }
        let acceptors = self.waiting.iter().filter_map(|number| self.acceptors.get(number));
        acceptors.filter_map(|acceptor| acceptor.next_attempt(now)).min()
    }
}
