//! Objects from files and directories, followed as they change.
//!
//! ```text
//!  watch ──► burst over? ──► read ──► library ──► snapshot
//!  (notify)                 (disk)   (last good state, ages, generations)
//! ```
//!
//! Nothing that a file says can stop the source. What cannot be read is reported, and the object it
//! was before stays; only where something is plainly taken away does it go.

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
