//! The compiled plan: the listeners to open and the routes of their connections.
//!
//! A plan is plain data. Translation creates it, [`Forwarder`](crate::forward::Forwarder) runs it,
//! and an embedder can run it with a proxy of its own. It refers to Gateway API objects only by
//! name.
//!
//! ```text
//! Plan ─► ListenerId ─► ListenerPlan ─► ListenAddress ─► SocketId      sockets to open
//!                              │
//!                              └──────► Routing ─► RoutePlan ─► Share   weighted choice
//!                                                                 │
//!                                                BackendPlan ◄────┘     target
//!                                                     │
//!                                                     └─► Endpoint
//! ```
//!
//! Parts are shared (`Arc`): a route on several listeners is one value, and so is a backend of
//! several routes.

mod address;
mod backend;
mod listener;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod plan;
mod route;
mod socket;

pub use self::address::{DialAddress, ListenAddress};
pub use self::backend::{BackendId, BackendPlan, Endpoint};
pub use self::listener::{ListenerId, ListenerPlan, Routing};
pub use self::plan::Plan;
pub use self::route::{RejectReason, RouteId, RouteKind, RoutePlan, Share, Target};
pub use self::socket::{BindError, BindErrorKind, SocketId, Transport};
