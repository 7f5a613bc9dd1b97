//! Configuration of access control.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tokio::sync::watch;

use super::access::{Access, Inner};
use super::allowed_hosts::AllowedHosts;
use super::api_host::ApiHost;
use super::failed_attempts::FailedAttempts;
use super::identity::Identity;
use super::role::Role;
use super::token::Token;
use super::token_set::TokenSet;
use super::tokens_file::TokensFileError;
use super::tokens_follower::TokensFollower;

/// Configuration of an [`Access`].
#[derive(Debug, Default)]
pub struct AccessBuilder {
    tokens: TokenSet,
    file: Option<PathBuf>,
    hosts: BTreeSet<ApiHost>,
}

impl Access {
    /// Returns a builder without tokens and hosts.
    pub fn builder() -> AccessBuilder {
        AccessBuilder::default()
    }
}

impl AccessBuilder {
    /// Accepts a token of the user `name`. The first use of a token counts.
    #[must_use]
    pub fn token(mut self, name: &str, role: Role, token: &Token) -> Self {
        self.tokens.insert(token.hash(), Identity::new(name, role));
        self
    }

    /// Accepts the tokens of a file too. Its lines are `NAME ROLE TOKEN`, or `NAME ROLE
    /// sha256:HASH` with the SHA-256 of a token in hexadecimal; lines that begin with `#` are
    /// comments. Other users must not have access to the file, and the group may only read it.
    #[must_use]
    pub fn tokens_file(self, path: impl Into<PathBuf>) -> Self {
        Self { file: Some(path.into()), ..self }
    }

    /// Allows a host in requests, in addition to the address of the connection.
    #[must_use]
    pub fn host(mut self, host: ApiHost) -> Self {
        self.hosts.insert(host);
        self
    }

    /// Reads the file of tokens and creates the access control.
    ///
    /// # Errors
    /// Returns an error if the file of tokens cannot be read or is invalid.
    pub fn build(self) -> Result<Access, TokensFileError> {
        let (follower, tokens) = match self.file {
            Some(path) => {
                let (follower, tokens) = TokensFollower::open(path, self.tokens)?;
                (Some(follower), tokens)
            }
            None => (None, self.tokens),
        };
        Ok(Access::new(Inner {
            hosts: AllowedHosts::new(self.hosts),
            tokens: watch::Sender::new(tokens.into()),
            follower,
            attempts: FailedAttempts::new(),
        }))
    }
}
