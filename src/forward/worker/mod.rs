//! Workers: threads with an event loop of their own, which accept, dial and relay connections.
//!
//! ```text
//!            commands (mailbox)            events (epoll, edge-triggered)
//!                   │                                  │
//!                   ▼                                  ▼
//!            ┌──────────────────── event loop ──────────────────────┐
//!            │  listeners ── accept ──► connections: slots with     │
//!            │  (of this worker)        flow, sockets, bytes        │
//!            └──────────│───────────────────────────────────────────┘
//!                       └──► another worker that has fewer connections
//! ```
//!
//! A listening socket belongs to one worker, which accepts its connections and gives each one to
//! the worker with the fewest. A connection stays on the worker that serves it. The loop contains
//! no policy: the [flow](super::flow) of a connection decides its next action.

mod accepted;
mod acceptor;
mod connection;
mod connection_set;
mod connections;
mod context;
mod deadlines;
mod dialling;
mod event_loop;
#[cfg(test)]
mod event_loop_tests;
mod listeners;
mod mailbox;
#[cfg(test)]
mod panic_tests;
mod pending;
mod progress;
mod record;
mod spread;
mod token;
mod transfer;
#[cfg(test)]
mod worker_in_tests;
mod workers;

pub(super) use self::mailbox::{Command, Mailbox};
pub(super) use self::workers::Workers;
