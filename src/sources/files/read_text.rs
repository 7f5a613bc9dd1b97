//! Reading the text of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::FileError;
use crate::model::manifest::decode;

/// The largest file that is read, in bytes.
const MAX_FILE_SIZE: u64 = 64 * 1024 * 1024;

/// Checks that a file of this size is read.
///
/// # Errors
/// Returns [`FileError::TooLarge`] if it is too large.
pub(super) fn check_size(file: &Path, size: u64) -> Result<(), FileError> {
    if size > MAX_FILE_SIZE {
        return Err(FileError::TooLarge { path: file.to_owned(), limit: MAX_FILE_SIZE });
    }
    Ok(())
}

/// Reads the text of a file.
pub(super) fn read_text(file: &Path) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let size = File::open(file)
        .and_then(|opened| opened.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes))
        .map_err(|error| FileError::read(file, error))?;
    check_size(file, size as u64)?;
    decode(bytes).map_err(|source| FileError::Decode { path: file.to_owned(), source })
}
