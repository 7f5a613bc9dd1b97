//! The file of tokens: its format and its errors.

use std::fmt;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::role::{InvalidRole, Role};
use super::token::{InvalidToken, Token, TokenHash};
use super::token_set::TokenSet;
use crate::api::files::InputFileError;

/// Maximum number of tokens in a file. Each request compares its token with all of them.
const MAX_TOKENS: usize = 1000;

/// Maximum number of errors in the message about a file.
const MAX_ERRORS: usize = 5;

/// Longest name of a user.
const MAX_NAME_LENGTH: usize = 253;

/// Prefix of a field with the hash of a token.
const HASH_PREFIX: &str = "sha256:";

/// Error of a file of tokens. It contains no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensFileError {
    /// The file cannot be read, or others can read or change it.
    #[error("cannot read the file of tokens")]
    File(#[from] InputFileError),
    /// Lines of the file are malformed.
    #[error("the file of tokens {} is invalid: {errors}", .path.display())]
    Lines {
        /// Path of the file.
        path: PathBuf,
        /// Errors of the lines.
        errors: TokensFileErrors,
    },
}

/// Errors of lines, with the line number of each.
#[derive(Debug)]
pub struct TokensFileErrors(Vec<(usize, LineError)>);

impl fmt::Display for TokensFileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, error)) in self.0.iter().take(MAX_ERRORS).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}line {line}: {error}")?;
        }
        match self.0.len().saturating_sub(MAX_ERRORS) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("expected three fields, NAME ROLE TOKEN, separated by spaces; found {0}")]
    FieldCount(usize),
    #[error("the name has more than 253 characters, or control characters")]
    Name,
    #[error(transparent)]
    Role(#[from] InvalidRole),
    #[error(transparent)]
    Token(#[from] InvalidToken),
    #[error("expected 64 hexadecimal digits after sha256:")]
    Hash,
    #[error("the token is on an earlier line too; give each user a token of their own")]
    Repeated,
    #[error("the line is not valid UTF-8")]
    Encoding,
    #[error("there are more than 1000 tokens; remove some")]
    TooMany,
}

/// Parses a file of tokens.
///
/// Each line has three fields, separated by spaces or tabs: the name of a user, a role and a token,
/// or `sha256:` with the SHA-256 of a token in hexadecimal. Empty lines and lines that begin with
/// `#` are ignored.
pub(super) fn parse_tokens(path: &Path, bytes: &[u8]) -> Result<TokenSet, TokensFileError> {
    let error = |errors| TokensFileError::Lines { path: path.to_owned(), errors };
    parse_lines(bytes).map_err(|errors| error(TokensFileErrors(errors)))
}

fn parse_lines(bytes: &[u8]) -> Result<TokenSet, Vec<(usize, LineError)>> {
    let mut tokens = TokenSet::default();
    let mut errors = Vec::new();
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let parsed = match str::from_utf8(line).map(str::trim) {
            Err(_) => Err(LineError::Encoding),
            Ok(line) if line.is_empty() || line.starts_with('#') => continue,
            Ok(line) => parse_line(line),
        };
        let added = parsed.and_then(|(hash, identity)| match tokens.len() {
            MAX_TOKENS.. => Err(LineError::TooMany),
            _ if tokens.insert(hash, identity) => Ok(()),
            _ => Err(LineError::Repeated),
        });
        match added {
            Ok(()) => {}
            Err(error @ LineError::TooMany) => {
                errors.push((number, error));
                break;
            }
            Err(error) => errors.push((number, error)),
        }
    }
    if errors.is_empty() { Ok(tokens) } else { Err(errors) }
}

fn parse_line(line: &str) -> Result<(TokenHash, Identity), LineError> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let [name, role, token] = fields[..] else { return Err(LineError::FieldCount(fields.len())) };
    if name.len() > MAX_NAME_LENGTH || name.contains(char::is_control) {
        return Err(LineError::Name);
    }
    let role: Role = role.parse()?;
    let hash = match token.strip_prefix(HASH_PREFIX) {
        Some(digits) => TokenHash::parse(digits).ok_or(LineError::Hash)?,
        None => token.parse::<Token>()?.hash(),
    };
    Ok((hash, Identity::new(name, role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn errors(text: &str) -> String {
        TokensFileErrors(parse_lines(text.as_bytes()).unwrap_err()).to_string()
    }

    #[test]
    fn lines_have_name_role_and_token() {
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let text = format!(
            "\u{feff}# users\r\n\n  alice\tview   {TOKEN}\r\nbob edit sha256:{hash}\n#carol view x"
        );
        let tokens = parse_lines(text.as_bytes()).unwrap();
        let user = |token: &str| {
            tokens.find(&TokenHash::of(token)).map(|user| (user.name().to_owned(), user.role()))
        };
        assert_eq!(tokens.len(), 2);
        assert_eq!(user(TOKEN), Some(("alice".into(), Role::View)));
        assert_eq!(user("abc"), Some(("bob".into(), Role::Edit)));
        assert_eq!(parse_lines(b"").unwrap().len(), 0);
    }

    #[test]
    fn errors_have_their_line_and_no_token() {
        for (line, expected) in [
            ("alice", "expected three fields, NAME ROLE TOKEN, separated by spaces; found 1"),
            ("alice view", "found 2"),
            ("alice view TOKEN x", "found 4"),
            ("alice viewer TOKEN", "the role is unknown; expected view, edit, gateway or admin"),
            ("alice TOKEN view", "the role is unknown"),
            ("TOKEN alice view", "the role is unknown"),
            ("alice view short", "fewer than 32 characters"),
            ("alice view TOKENé", "a character other than"),
            ("alice view sha256:TOKEN", "expected 64 hexadecimal digits"),
            ("al\u{7}ice view TOKEN", "control characters"),
        ] {
            let line = line.replace("TOKEN", TOKEN);
            let errors = errors(&format!("\n# comment\n{line}\n"));
            assert!(errors.starts_with("line 3: ") && errors.contains(expected), "{errors}");
            assert!(!errors.contains(TOKEN) && !errors.contains("short"), "{errors}");
        }
    }

    #[test]
    fn every_line_is_checked_and_some_are_reported() {
        let errors = errors(&"x\n".repeat(7));
        assert!(errors.starts_with("line 1: ") && errors.contains("; line 5: "), "{errors}");
        assert!(errors.ends_with("; and 2 more"), "{errors}");
    }

    #[test]
    fn token_may_have_one_user_only() {
        // SHA-256 of `TOKEN`.
        let hash = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";
        let text = format!("alice view {TOKEN}\nbob edit sha256:{hash}");
        assert!(errors(&text).starts_with("line 2: the token is on an earlier line too"));
    }

    #[test]
    fn number_of_tokens_is_limited() {
        let lines = |count: usize| -> String {
            (0..count).map(|index| format!("user view sha256:{index:064x}\n")).collect()
        };
        assert_eq!(parse_lines(lines(1000).as_bytes()).unwrap().len(), 1000);
        let errors = errors(&lines(2000));
        assert_eq!(errors, "line 1001: there are more than 1000 tokens; remove some");
    }

    #[test]
    fn lines_must_be_utf_8() {
        let errors = TokensFileErrors(parse_lines(b"\nalice view \xff").unwrap_err()).to_string();
        assert_eq!(errors, "line 2: the line is not valid UTF-8");
    }
}
