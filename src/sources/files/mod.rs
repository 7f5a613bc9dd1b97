//! Objects from files and directories, which are watched for changes.
//!
//! ```text
//!  watch ──► burst is over ──► listing ──► load_queue ──► resolve ──► file_set ──► snapshot
//!  (notify,  (debounce)        (stat)      (read, parse)  (choose)    (metadata)
//!   poll)
//! ```
//!
//! No content of a file stops the source. If an object becomes invalid or its file unreadable, the
//! snapshot reports a problem and contains the last valid version of the object. An object is
//! removed only if every file that could contain it is readable and none does.
//!
//! Files are read on threads for blocking work, independently of each other: a file that takes long
//! to read keeps its last version meanwhile, and does not delay the changes of others.

mod declared;
mod error;
mod file_loop;
mod file_set;
#[cfg(test)]
mod file_set_tests;
mod file_source;
mod identity;
mod listing;
mod load_queue;
mod parsed_file;
mod path_trace;
mod problems;
mod read_log;
mod read_text;
mod reload_handle;
mod reload_result;
mod resolve;
mod tracked_file;
mod watch;
mod watch_events;
mod watch_failures;

pub use self::error::FileError;
pub use self::file_source::FileSource;
pub use self::reload_handle::ReloadHandle;
