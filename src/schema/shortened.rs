//! Shortens texts of a request for messages: a path or a value can be as large as the body.

use std::fmt::{self, Display, Write};

/// Returns the first bytes of a text, with an ellipsis if the text is longer. The rest is not
/// formatted.
pub(super) fn shortened(text: impl Display, most: usize) -> String {
    let mut start = Start { text: String::new(), most };
    if write!(start, "{text}").is_err() {
        start.text.push('…');
    }
    start.text
}

/// Takes the first bytes of a text.
struct Start {
    text: String,
    most: usize,
}

impl Write for Start {
    /// Returns an error at the bound, which ends the formatting.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = part.floor_char_boundary(self.most - self.text.len());
        self.text.push_str(&part[..end]);
        if end == part.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn longer_texts_end_at_a_character() {
        for (text, expected) in [("", ""), ("abcd", "abcd"), ("abcde", "abcd…"), ("abcé", "abc…")]
        {
            assert_eq!(shortened(text, 4), expected);
        }
        assert_eq!(shortened(json!(["a", "b"]), 4), "[\"a\"…");
    }
}
