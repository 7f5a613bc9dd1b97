//! Requests that read objects.

mod get;
mod list;

pub(super) use self::get::get;
pub(super) use self::list::list;
