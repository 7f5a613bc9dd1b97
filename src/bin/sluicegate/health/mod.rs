//! Health endpoints: `/livez` for restarts, `/readyz` while connections are accepted, `/acceptz`
//! for load balancers that probe the gateway itself.
//!
//! A probe is answered at once, even if many clients hold connections to the port. Every connection
//! is accepted immediately. The number of open ones is bounded: at the limit, a connection without
//! a complete request is closed.

mod connections;
mod response;
mod server;

pub(crate) use self::response::Lifecycle;
pub(crate) use self::server::{HealthError, listen, serve};
