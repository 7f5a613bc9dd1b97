//! The forwarding engine: opens the listeners of a plan and relays their connections.
//!
//! ```text
//!  apply(plan) ──► diff ──► bind ──► swap ──► drain            (control: owner of the Forwarder)
//!                             │        │         │
//!                       one socket     │     deadline
//!                       for each       │         │
//!                       address        │         │
//!                             ▼        ▼         ▼
//!  worker thread 1..n:  accept ─► first bytes ─► pick ─► dial ─► relay ─► outcome        (data)
//! ```
//!
//! Every worker is a thread with an event loop of its own. A listening socket belongs to one
//! worker, which accepts connections and gives each one to the worker with the fewest. A connection
//! then stays there. The data path never uses the caller's runtime.
//!
//! - A change of routes is one pointer swap per listener. A connection keeps the route that was
//!   current when it was accepted. A change of the plan resets a connection only if its listener is
//!   removed, and then only at the drain deadline.
//! - New sockets are bound before old ones close. A listener that cannot be bound does not affect
//!   the others.
//! - A connection is accepted only if it can have both of its descriptors. Otherwise it waits in
//!   the backlog until another one ends.
//! - An idle connection owns neither a buffer nor a pipe. There is no idle timeout; TCP keepalive
//!   detects lost peers, at the kernel's intervals.
//!
//! # Draining
//!
//! A listener whose address is not in the new plan is drained. An address that comes back in a
//! later plan is bound again, and the connections of the earlier listener lose their deadline.
//!
//! ```text
//!                                  ┌──── deadline set, changed or removed
//!                                  ▼        │
//! ┌──────┐  removed, or drain()  ┌───────────────────────┐   last connection    ┌──────────┐
//! │ open │ ────────────────────► │ closed(deadline)      │ ───────────────────► │ finished │
//! └──────┘                       └───────────────────────┘   ended, or reset    └──────────┘
//! accepts                        sockets are closed;         at the deadline    no connection
//! connections                    open connections continue                      is left
//! ```
//!
//! - The deadline is [`Settings::drain_timeout`] after the removal. [`Forwarder::drain`] sets one
//!   for all listeners; if there are two, the earlier one applies.
//! - Connections that are in the backlog when the sockets close are still accepted and served. If
//!   the budget of connections is used up, the kernel resets them.
//! - At the deadline, connections end with [`Outcome::Drained`] and both peers see a reset.

mod backend;
mod backend_table;
mod bind;
mod bindings;
mod bound_listener;
mod budget;
mod buffer;
mod connection_log;
mod counters;
mod descriptors;
mod desired;
mod dial_failure;
mod dial_log;
mod endpoints;
mod engine;
mod flow;
mod forwarder;
mod listener;
mod outcome;
mod own_sockets;
mod pipe;
mod reconcile;
mod route;
mod route_table;
mod settings;
mod shared_marks;
mod worker;

pub use self::bindings::Bindings;
pub use self::connection_log::{ConnectionLines, LineFormat, LineOutput};
pub use self::counters::{Counters, ListenerCounters};
pub use self::dial_failure::DialFailure;
pub use self::forwarder::Forwarder;
pub use self::outcome::Outcome;
pub use self::settings::{ConnectionLog, Settings};
