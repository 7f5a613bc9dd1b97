//! Limits on the length of texts for Kubernetes.

/// Maximum length of a message in bytes: the limit of an Event's note. A status may contain 32,768
/// characters, but an API server refuses a whole status if one message is too long.
pub(crate) const MAX_MESSAGE_LEN: usize = 1024;

/// Truncates a text to at most `max_len` bytes. A truncated text ends with an ellipsis (`…`).
pub(crate) fn truncate(text: &mut String, max_len: usize) {
    const ELLIPSIS: &str = "…";
    if text.len() > max_len {
        text.truncate(text.floor_char_boundary(max_len.saturating_sub(ELLIPSIS.len())));
        text.push_str(ELLIPSIS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_text_ends_with_ellipsis_within_the_limit() {
        let truncated = |text: &str, max_len| {
            let mut text = text.to_owned();
            truncate(&mut text, max_len);
            text
        };
        assert_eq!(truncated("seven77", 7), "seven77");
        assert_eq!(truncated("eight888", 7), "eigh…");
        // Each letter has two bytes, and one and a half would fit.
        assert_eq!(truncated("ööö", 5), "ö…");
    }
}
