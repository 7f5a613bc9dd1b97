//! Times at which the event loop acts without an event.
//!
//! A timer for each dial would be set up and removed within a millisecond. Instead, the loop
//! checks all dials in progress every 50 ms.

use std::sync::Weak;
use std::time::{Duration, Instant};

use super::token::Key;
use crate::forward::listener::{ListenerState, ListeningSocket};

/// Interval of the checks of dials. A dial may exceed its timeout by about this time.
const INTERVAL: Duration = Duration::from_millis(50);

/// The connections that dial.
#[derive(Default)]
pub(super) struct Dials {
    /// Some of them may have ended or may be connected.
    keys: Vec<Key>,
    /// Time of the next check; `None` if no connection dials.
    due: Option<Instant>,
}

impl Dials {
    /// Adds a connection.
    pub(super) fn add(&mut self, key: Key, now: Instant) {
        self.keys.push(key);
        self.due.get_or_insert(now + INTERVAL);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Returns all connections if their check is due. Those that still dial have to be added again.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Key> {
        match self.due {
            Some(due) if due <= now => {
                self.due = None;
                std::mem::take(&mut self.keys)
            }
            _ => Vec::new(),
        }
    }
}

/// The closed listeners with a deadline for their connections.
#[derive(Default)]
pub(super) struct Drains {
    drains: Vec<Drain>,
    /// The earliest deadline that has not passed.
    next: Option<Instant>,
    /// A deadline has passed.
    has_over: bool,
}

struct Drain {
    socket: Weak<ListeningSocket>,
    deadline: Instant,
    /// The deadline has passed. A connection that another worker accepted before may still arrive.
    is_over: bool,
}

impl Drains {
    /// Sets the deadline of a closed listener; `None` removes it.
    pub(super) fn set(&mut self, socket: Weak<ListeningSocket>, deadline: Option<Instant>) {
        self.drains.retain(|drain| !drain.socket.ptr_eq(&socket));
        self.drains.extend(deadline.map(|deadline| Drain { socket, deadline, is_over: false }));
        self.update();
    }

    /// Returns the earliest deadline that has not passed.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Returns `true` if a deadline has passed since the last call.
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        if self.next.is_none_or(|next| next > now) {
            return false;
        }
        for drain in self.drains.iter_mut().filter(|drain| drain.deadline <= now) {
            drain.is_over = true;
        }
        self.update();
        true
    }

    /// Returns `true` if the connections of a listener have to end.
    pub(super) fn is_over(&self, listener: &ListenerState) -> bool {
        let is_of = |drain: &Drain| std::ptr::eq(drain.socket.as_ptr(), &*listener.socket);
        self.has_over && self.drains.iter().any(|drain| drain.is_over && is_of(drain))
    }

    fn update(&mut self) {
        // A listener without connections has been dropped.
        self.drains.retain(|drain| drain.socket.strong_count() > 0);
        let ahead = self.drains.iter().filter(|drain| !drain.is_over);
        self.next = ahead.map(|drain| drain.deadline).min();
        self.has_over = self.drains.iter().any(|drain| drain.is_over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::counters::Counters;

    fn listener(name: &str) -> ListenerState {
        let id: crate::plan::ListenerId = format!("default/edge/{name}").parse().unwrap();
        let counters = Counters::new(1);
        counters.add(&id);
        let shards = counters.shards(&id).unwrap();
        let (socket, _finished) = ListeningSocket::new(([127, 0, 0, 1], 1).into());
        ListenerState::new(id, None, shards, socket)
    }

    #[test]
    fn drain_ends_the_connections_of_its_listener_at_the_deadline() {
        let (a, b) = (listener("a"), listener("b"));
        let socket = |listener: &ListenerState| std::sync::Arc::downgrade(&listener.socket);
        let (mut drains, start) = (Drains::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        drains.set(socket(&a), Some(after(1)));
        drains.set(socket(&b), Some(after(2)));
        assert_eq!(drains.next(), Some(after(1)));
        assert!(!drains.advance(start) && !drains.is_over(&a));
        assert!(drains.advance(after(1)));
        assert!(drains.is_over(&a) && !drains.is_over(&b));
        // A deadline is reported once, but also applies to connections that arrive later.
        assert!(!drains.advance(after(1)) && drains.is_over(&a));
        assert_eq!(drains.next(), Some(after(2)));
        // The address is in the plan again, so the deadline is removed.
        drains.set(socket(&b), None);
        assert_eq!(drains.next(), None);
        assert!(!drains.advance(after(3)) && !drains.is_over(&b));
        // A deadline in the past applies at once.
        drains.set(socket(&b), Some(start));
        assert!(drains.advance(after(3)) && drains.is_over(&b));
    }

    #[test]
    fn drains_without_connections_are_removed() {
        let mut drains = Drains::default();
        for name in ["a", "b", "c"] {
            let gone = std::sync::Arc::downgrade(&listener(name).socket);
            drains.set(gone, Some(Instant::now()));
        }
        assert!(drains.drains.is_empty() && drains.next().is_none());
    }

    #[test]
    fn dials_are_checked_together() {
        let (mut dials, start) = (Dials::default(), Instant::now());
        let key = |index| Key { index, generation: 0 };
        assert_eq!(dials.due(), None);
        dials.add(key(1), start);
        dials.add(key(2), start + INTERVAL / 2);
        assert_eq!(dials.due(), Some(start + INTERVAL));
        assert!(dials.take_due(start + INTERVAL / 2).is_empty());
        assert_eq!(dials.take_due(start + INTERVAL), [key(1), key(2)]);
        assert_eq!(dials.due(), None);
    }
}
