//! Requests that read objects.
//!
//! | file | contents |
//! |---|---|
//! | `get` | one object |
//! | `list_options`, `list` | objects at one revision, in pages |
//! | `watch_options`, `watch` | the start of a watch |
//! | `watch_stream` | its position in the store, from which the body is read |
//! | `event_writer` | its events |

mod event_writer;
mod get;
mod list;
mod list_options;
mod watch;
mod watch_options;
mod watch_stream;

pub(super) use self::get::get;
pub(super) use self::list::list;
pub(super) use self::watch::watch;
