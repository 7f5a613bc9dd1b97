//! The forwarding engine: it opens a plan's listeners and carries their connections.
//!
//! ```text
//!  apply(plan) ──► diff ──► bind ──► swap ──► drain          (control: whoever owns the Forwarder)
//!                             │        │         │
//!                     a socket per     │     stop signal
//!                     worker           │         │
//!                             ▼        ▼         ▼
//!  worker thread 1..n:  accept ─► pick ─► dial ─► relay ─► outcome       (data: one task each)
//! ```
//!
//! Every worker is a thread with a runtime of its own and, for each listener, an `SO_REUSEPORT`
//! socket of its own: a connection lives and dies on the worker that accepted it. The caller's
//! runtime is never used for the data path.
//!
//! - A change of routes is one pointer swap per listener. A connection keeps the route it began
//!   with; nothing but a removed listener or a drain ends it.
//! - New sockets are bound before old ones close. A listener that cannot be bound leaves the others
//!   alone.
//! - An idle connection owns neither buffer nor pipe, and may be idle for as long as it likes. A peer that
//!   vanished without a word is found out by TCP keepalive, at the system's intervals.

mod accept;
mod bind;
mod bindings;
mod bound_listener;
mod buffer;
mod connection;
mod counters;
mod deadline;
mod desired;
mod dial;
mod direction;
mod forwarder;
mod listener;
mod live;
mod outcome;
mod pipe;
mod ready;
mod reconcile;
mod relay;
mod route;
mod route_table;
mod settings;
mod worker;

pub use self::bindings::Bindings;
pub use self::counters::{Counters, ListenerCounters};
pub use self::forwarder::Forwarder;
pub use self::outcome::Outcome;
pub use self::settings::Settings;
