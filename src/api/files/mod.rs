//! Files that the API reads, follows and writes: tokens, certificates, kubeconfigs, and those of
//! its folder.
//!
//! | file | contents |
//! |---|---|
//! | `input_file` | reading of files that may have to be secret |
//! | `output_file` | atomic writing |
//! | `file_follower` | changes of files |

mod file_follower;
mod input_file;
mod output_file;

pub(in crate::api) use self::file_follower::FileFollower;
pub(in crate::api) use self::input_file::InputFile;
pub use self::input_file::InputFileError;
pub(in crate::api) use self::output_file::{create_file, replace_file};
