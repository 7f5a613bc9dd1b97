//! Changes of the file of tokens.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::token_set::TokenSet;
use super::tokens_file::{TokensFileError, parse_tokens};
use crate::api::files::{FileFollower, InputFile};

/// Largest file of tokens.
const MAX_BYTES: u64 = 1 << 20;

/// Reader of a file of tokens and of its changes.
#[derive(Debug)]
pub(super) struct TokensFollower {
    path: PathBuf,
    /// Tokens that are accepted without the file.
    fixed: TokenSet,
    /// Locked for as long as the file is followed.
    file: Mutex<FileFollower>,
}

impl TokensFollower {
    /// Reads the file. Returns its tokens together with those that are accepted without it.
    pub(super) fn open(
        path: PathBuf,
        fixed: TokenSet,
    ) -> Result<(Self, TokenSet), TokensFileError> {
        let (file, contents) = FileFollower::open([InputFile::secret(&path, MAX_BYTES)])?;
        let follower = Self { path, fixed, file: Mutex::new(file) };
        let tokens = follower.parse(&contents)?;
        Ok((follower, tokens))
    }

    /// Replaces `tokens` when the file changes and is valid.
    pub(super) async fn follow(&self, tokens: &watch::Sender<Arc<TokenSet>>) {
        let mut file = self.file.lock().await;
        loop {
            let changed = file.changed().await.map_err(TokensFileError::from);
            match changed.and_then(|contents| self.parse(&contents)) {
                Ok(changed) => {
                    let count = changed.len() - self.fixed.len();
                    tokens.send_replace(changed.into());
                    tracing::info!(file = %self.path.display(), tokens = count, "read the file of tokens again");
                }
                Err(error) => tracing::error!(
                    error = &error as &(dyn Error + 'static),
                    "cannot use the changed file of tokens; the tokens that were read last stay \
                     valid until the file is corrected"
                ),
            }
        }
    }

    fn parse(&self, contents: &[Vec<u8>]) -> Result<TokenSet, TokensFileError> {
        let mut tokens = self.fixed.clone();
        for bytes in contents {
            tokens.extend(&parse_tokens(&self.path, bytes)?);
        }
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use tempfile::tempdir;
    use tokio::time::sleep;

    use super::*;
    use crate::api::access::identity::Identity;
    use crate::api::access::role::Role;
    use crate::api::access::token::TokenHash;

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn token(number: u32) -> String {
        format!("{number:032}")
    }

    #[tokio::test(start_paused = true)]
    async fn valid_changes_replace_the_tokens_and_invalid_ones_do_not() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("tokens");
        write(&path, &format!("a view {}", token(1)), 0o600);
        let mut fixed = TokenSet::default();
        fixed.insert(TokenHash::of(&token(0)), Identity::new("admin", Role::Admin));
        let (follower, tokens) = TokensFollower::open(path.clone(), fixed).unwrap();
        let tokens = watch::Sender::new(Arc::new(tokens));
        let task = tokio::spawn({
            let tokens = tokens.clone();
            async move { follower.follow(&tokens).await }
        });
        let users = || {
            let tokens = tokens.borrow();
            let name =
                |number| Some(tokens.find(&TokenHash::of(&token(number)))?.name().to_owned());
            (0..4).map(|number| name(number).unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(users(), ["admin", "a", "", ""]);

        // Each step is followed by more than one poll of the file.
        let seconds = Duration::from_secs(3);
        for (text, mode) in [
            ("b edit".to_owned(), 0o600),
            (format!("b edit {}", token(2)), 0o644),
            (format!("b edit {}\nbad", token(2)), 0o600),
        ] {
            write(&path, &text, mode);
            sleep(seconds).await;
            assert_eq!(users(), ["admin", "a", "", ""], "{text}");
        }
        fs::remove_file(&path).unwrap();
        sleep(seconds).await;
        assert_eq!(users(), ["admin", "a", "", ""]);
        write(&path, &format!("b edit {}\nc view {}", token(2), token(3)), 0o600);
        sleep(seconds).await;
        assert_eq!(users(), ["admin", "", "b", "c"]);
        task.abort();
    }

    #[test]
    fn first_file_must_be_valid() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("tokens");
        let open = || TokensFollower::open(path.clone(), TokenSet::default());
        assert!(matches!(open(), Err(TokensFileError::File(_))));
        write(&path, "bad", 0o600);
        assert!(matches!(open(), Err(TokensFileError::Lines { .. })));
        write(&path, "", 0o640);
        assert_eq!(open().unwrap().1.len(), 0);
    }
}
