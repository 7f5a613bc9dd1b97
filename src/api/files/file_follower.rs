//! Changes of files.

use std::io;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::input_file::{InputFile, InputFileError};

/// Interval at which the files are polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Follower of small files that belong together. It polls them and compares their contents, since
/// modification times are too coarse, and some file systems send no inotify events.
#[derive(Debug)]
pub(in crate::api) struct FileFollower {
    files: Arc<[InputFile]>,
    seen: PollResult,
}

/// Contents of the files, in their order.
type Contents = Vec<Vec<u8>>;

/// Result of a poll.
#[derive(Debug, PartialEq, Eq)]
enum PollResult {
    Contents([u8; SHA256_OUTPUT_LEN]),
    Error(Discriminant<InputFileError>, Option<io::ErrorKind>),
}

impl FileFollower {
    /// Reads the files, and returns their contents.
    pub(in crate::api) fn open(
        files: impl Into<Arc<[InputFile]>>,
    ) -> Result<(Self, Contents), InputFileError> {
        let files = files.into();
        let contents = read(&files)?;
        let seen = PollResult::Contents(hash(&contents));
        Ok((Self { files, seen }, contents))
    }

    /// Waits for a change and returns the contents. An error is returned once.
    pub(in crate::api) async fn changed(&mut self) -> Result<Contents, InputFileError> {
        loop {
            sleep(POLL_INTERVAL).await;
            let files = self.files.clone();
            // A network file system can block. The task fails only if the runtime shuts down.
            let Ok(read) = spawn_blocking(move || read(&files)).await else { continue };
            let seen = match &read {
                Ok(contents) => PollResult::Contents(hash(contents)),
                Err(error) => PollResult::Error(discriminant(error), error.io_kind()),
            };
            if seen != self.seen {
                self.seen = seen;
                return read;
            }
        }
    }
}

fn read(files: &[InputFile]) -> Result<Contents, InputFileError> {
    files.iter().map(InputFile::read).collect()
}

fn hash(contents: &Contents) -> [u8; SHA256_OUTPUT_LEN] {
    let mut context = Context::new(&SHA256);
    for bytes in contents {
        context.update(&(bytes.len() as u64).to_le_bytes());
        context.update(bytes);
    }
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;
    use tokio::time::timeout;

    use super::*;

    const QUIET: Duration = Duration::from_millis(3500);

    #[tokio::test(start_paused = true)]
    async fn changes_and_errors_are_returned_once() {
        let folder = tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        for path in &paths {
            fs::write(path, "1").unwrap();
        }
        let files = paths.each_ref().map(|path| InputFile::public(path, 10));
        let (mut follower, contents) = FileFollower::open(files.to_vec()).unwrap();
        assert_eq!(contents, [b"1", b"1"]);
        assert!(timeout(QUIET, follower.changed()).await.is_err());

        // The size is the same, and the modification time may be.
        fs::write(&paths[1], "2").unwrap();
        assert_eq!(follower.changed().await.unwrap(), [b"1", b"2"]);
        fs::remove_file(&paths[0]).unwrap();
        let error = follower.changed().await.unwrap_err();
        assert_eq!(error.io_kind(), Some(io::ErrorKind::NotFound));
        assert!(timeout(QUIET, follower.changed()).await.is_err());
        fs::write(&paths[0], "more than ten").unwrap();
        let error = follower.changed().await.unwrap_err();
        assert!(matches!(error, InputFileError::TooLarge { .. }));
        fs::write(&paths[0], "1").unwrap();
        assert_eq!(follower.changed().await.unwrap(), [b"1", b"2"]);
    }
}
