//! The watches: every kind is listed, and then its changes are followed.
//!
//! ```text
//!  WatchSet ─ starts ─► watch_scope, a task for each kind and namespace ─► Change ─► event loop
//!                         └─ ObjectWatch: list, watch, resume
//!                              └─ WatchRequest: one request of 60 to 90 s
//! ```
//!
//! Every wait has a limit. A request without a response fails after some seconds
//! (`request_limits`), the kernel closes a connection whose peer is silent (`client`), and a watch
//! that does not end when it should counts as dead ([`WatchRequest`]). A watch counts as resumed
//! when the API server has answered its request.

mod change;
mod error;
mod event_lines;
mod last_received;
mod object_watch;
mod retry_delay;
mod scope_watch;
mod stale_kinds;
mod watch_handle;
mod watch_request;
mod watch_set;
mod watched_namespaces;

pub(super) use self::change::{Change, WatchEvent};
pub(super) use self::error::WatchError;
pub(super) use self::event_lines::ReceivedEvent;
pub(super) use self::last_received::LastReceived;
pub(super) use self::retry_delay::RetryDelay;
pub(super) use self::stale_kinds::log_stale_kinds;
pub use self::watch_handle::WatchHandle;
pub(super) use self::watch_request::WatchRequest;
pub(super) use self::watch_set::WatchSet;
pub(super) use self::watched_namespaces::NamespaceState;
