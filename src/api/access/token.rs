//! Tokens, and their hashes.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::{Choice, ConstantTimeEq as _};

/// Prefix of generated tokens, by which scanners for leaked secrets recognize them.
const PREFIX: &str = "sluicegate_";

/// Random bytes of a generated token.
const RANDOM_BYTES: usize = 32;

/// Shortest token: 128 bits as hexadecimal digits.
const MIN_LENGTH: usize = 32;

/// Longest token, so that it fits into a header.
const MAX_LENGTH: usize = 1024;

/// Token of a user of the API. `Debug` does not contain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Generates a token from 32 bytes of the random source of the operating system.
    ///
    /// # Errors
    /// Returns an error if the operating system provides no random bytes.
    pub fn generate() -> Result<Self, RandomSourceError> {
        let mut bytes = [0; RANDOM_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| RandomSourceError(()))?;
        Ok(Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Returns the text of the token, for a kubeconfig or a file that only its user can read.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        // The characters of a bearer token in RFC 6750.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let characters = text.trim_end_matches('=');
        match text.len() {
            ..MIN_LENGTH => Err(InvalidToken::TooShort),
            MIN_LENGTH..=MAX_LENGTH if characters.bytes().all(is_allowed) => {
                Ok(Self(text.to_owned()))
            }
            MIN_LENGTH..=MAX_LENGTH => Err(InvalidToken::Character),
            _ => Err(InvalidToken::TooLong),
        }
    }
}

/// Error of a text that is not a token. It does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The token can be guessed.
    #[error(
        "the token has fewer than 32 characters; generate one, such as with `openssl rand -hex 32`"
    )]
    TooShort,
    /// The token does not fit into a header.
    #[error("the token has more than 1024 characters")]
    TooLong,
    /// A character cannot be sent in a header.
    #[error("the token has a character other than A-Z, a-z, 0-9, - . _ ~ + / and = at its end")]
    Character,
}

/// Error of a random source that returns no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system provides no random bytes (getrandom or /dev/urandom)")]
pub struct RandomSourceError(());

/// SHA-256 of a token. Hashes are compared instead of tokens, so that the time of a comparison
/// depends neither on the length of a token nor on its first wrong character.
#[derive(Clone, Copy)]
pub(super) struct TokenHash([u8; SHA256_OUTPUT_LEN]);

impl TokenHash {
    /// Hashes a text, which need not be a valid token.
    pub(super) fn of(text: &str) -> Self {
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(hash)
    }

    /// Parses 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; SHA256_OUTPUT_LEN];
        if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Compares in constant time.
    pub(super) fn is_equal(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_tokens_are_valid_and_differ() {
        let (a, b) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.reveal().parse(), Ok(a.clone()));
        assert_eq!(a.reveal().len(), PREFIX.len() + 43);
        assert_eq!(format!("{a:?} {:?}", a.hash()), "Token(…) TokenHash(…)");
    }

    #[test]
    fn token_has_length_and_characters_of_a_bearer_token() {
        let long = "a".repeat(MAX_LENGTH);
        for good in ["0123456789abcdef0123456789abcdef", "abcABC-._~+/0123456789012345678==", &long]
        {
            assert!(good.parse::<Token>().is_ok(), "{good}");
        }
        let digits = "0".repeat(MIN_LENGTH);
        for (bad, expected) in [
            (digits[1..].to_owned(), InvalidToken::TooShort),
            (format!("{long}a"), InvalidToken::TooLong),
            (format!("{digits}=0"), InvalidToken::Character),
            (format!("{digits} "), InvalidToken::Character),
            (format!("{digits}é"), InvalidToken::Character),
            (format!("{digits}\n"), InvalidToken::Character),
        ] {
            assert_eq!(bad.parse::<Token>(), Err(expected), "{bad:?}");
        }
    }

    #[test]
    fn hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hash = TokenHash::parse(known).unwrap();
        assert!(bool::from(hash.is_equal(&TokenHash::of("abc"))));
        assert!(!bool::from(hash.is_equal(&TokenHash::of("abd"))));
        let upper = TokenHash::parse(&known.to_uppercase()).unwrap();
        assert!(bool::from(hash.is_equal(&upper)));
        for bad in ["", &known[1..], &format!("{known}0"), &known.replace('b', "+")] {
            assert!(TokenHash::parse(bad).is_none(), "{bad}");
        }
    }
}
