//! The log of connections: a line when a connection ends, and at DEBUG a line when it is open.
//!
//! The number of lines a second is limited. Lines beyond the limit are counted by listener and
//! event, and one line a second contains the counts. Counters are not limited.

mod connection_lines;
mod event;
mod limiter;
mod lines;
mod logger;
mod names;
mod suppressed;

pub use self::connection_lines::{ConnectionLines, LineFormat, LineOutput};
pub(super) use self::event::{ConnectionEnd, ConnectionOpened, Event};
pub(super) use self::lines::append as append_line;
pub(super) use self::logger::ConnectionLogger;
pub(super) use self::names::Names;
