//! The compiled plan: the listeners to open and the routes of their connections.
//!
//! A plan is plain data. Translation creates it, [`Forwarder`](crate::forward::Forwarder) runs it,
//! and an embedder can run it with a proxy of its own. It refers to Gateway API objects only by
//! name.
//!
//! ```text
//! Plan ─► ListenerId ─► ListenerPlan ─► ListenAddress ─► SocketId      what is opened
//!                              │
//!                              └──────► Routing ─► RoutePlan ─► Share   who gets a connection
//!                                                                 │
//!                                                BackendPlan ◄────┘     where it goes
//!                                                     │
//!                                                     └─► Endpoint
//! ```
//!
//! Parts are shared (`Arc`): a route on several listeners is one value, and so is a backend of
//! several routes. Two plans compare fast.

mod address;
mod backend;
mod listener;
mod route;
mod socket;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::address::{DialAddress, ListenAddress};
pub use self::backend::{BackendId, BackendPlan, Endpoint};
pub use self::listener::{ListenerId, ListenerPlan, Routing};
pub use self::route::{RejectReason, RouteId, RouteKind, RoutePlan, Share, Target};
pub use self::socket::{BindError, BindErrorKind, SocketId, Transport};

/// The listeners to open, with the routes of their connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The listeners to open. Their sockets are distinct.
    pub listeners: BTreeMap<ListenerId, ListenerPlan>,
}
