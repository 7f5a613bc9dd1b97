//! Objects from files and directories, which are watched for changes.
//!
//! ```text
//!  watch ──► burst is over ──► discover ──► parsed_file ──► resolve ──► file_set ──► snapshot
//!  (notify)  (debounce)        (list, read)  (parse)        (pick)      (metadata)
//! ```
//!
//! No content of a file stops the source. If an object becomes invalid or its file unreadable, the
//! snapshot reports a problem and contains the last valid version of the object. An object is
//! removed only if every file that could contain it is readable and none does.

mod declared;
mod discover;
mod error;
mod file_set;
mod file_source;
mod parsed_file;
mod resolve;
mod watch;

pub use self::error::FileError;
pub use self::file_source::FileSource;
