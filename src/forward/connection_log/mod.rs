//! The log lines of connections.

mod event;

pub(super) use self::event::ConnectionEnd;
