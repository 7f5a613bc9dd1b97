//! Warning headers, which kubectl prints.

use http::HeaderValue;

/// Longest text of a warning.
const MAX_BYTES: usize = 1024;

/// Returns the value of a Warning header, with code 299 and no agent, as Kubernetes sends it.
pub(super) fn warning_value(text: &str) -> Option<HeaderValue> {
    let mut value = String::from("299 - \"");
    for c in text[..text.floor_char_boundary(MAX_BYTES)].chars() {
        match c {
            '"' | '\\' => value.extend(['\\', c]),
            c if c.is_control() => value.push(' '),
            c => value.push(c),
        }
    }
    value.push('"');
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Vec<u8> {
        warning_value(text).unwrap().as_bytes().to_vec()
    }

    #[test]
    fn text_is_quoted() {
        assert_eq!(value("unknown field \"spec.a\""), br#"299 - "unknown field \"spec.a\"""#);
        assert_eq!(value("a\r\nX: b\u{85}\\é"), "299 - \"a  X: b \\\\é\"".as_bytes());
    }

    #[test]
    fn long_text_is_cut() {
        assert!(value(&"é".repeat(5000)).len() < 1100);
    }
}
