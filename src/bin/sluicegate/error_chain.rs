//! Text of an error with its sources.

use std::error::Error;
use std::fmt;

/// Displays an error and its sources on one line, separated by colons.
///
/// Errors of other crates often repeat the text of their source. Such a source is not displayed
/// twice.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let next = error.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            source = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::ErrorChain;

    #[derive(Debug, thiserror::Error)]
    #[error("no route")]
    struct Plain(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("no route: {0}")]
    struct Repeats(#[source] io::Error);

    #[test]
    fn error_chain_contains_each_source_once() {
        let error = Plain(io::Error::other("refused"));
        assert_eq!(ErrorChain(&error).to_string(), "no route: refused");

        let error = Repeats(io::Error::other("refused"));
        assert_eq!(ErrorChain(&error).to_string(), "no route: refused");
    }
}
