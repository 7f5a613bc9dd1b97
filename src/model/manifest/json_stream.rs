//! Finding the end of a JSON object, to separate objects that follow each other without a marker.

/// Returns the length of the JSON object with which a text begins. Returns `None` if the text does
/// not begin with an object, or if the object contains a character that JSON does not allow: braces
/// in YAML may be part of a text or a comment.
pub(super) fn object_length(text: &str) -> Option<usize> {
    if !text.starts_with('{') {
        return None;
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            b'"' => loop {
                match bytes.next()?.1 {
                    b'"' => break,
                    b'\\' => _ = bytes.next()?,
                    _ => {}
                }
            },
            b':' | b',' | b' ' | b'\t' | b'\n' | b'\r' => {}
            // Numbers, `true`, `false` and `null`.
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'E' => {}
            b'a' | b'e' | b'f' | b'l' | b'n' | b'r' | b's' | b't' | b'u' => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_ends_at_its_brace() {
        for object in ["{}", r#"{"a": [1, {"b": "}\"{"}], "c": null}"#, "{\"é\":\n-1e5}"] {
            for rest in ["", "{}", "\n{\"a\": 1}", " x"] {
                assert_eq!(object_length(&format!("{object}{rest}")), Some(object.len()));
            }
        }
    }

    #[test]
    fn other_text_is_not_an_object() {
        for text in ["", "[]", "a: {}", "{", "{\"a", "{\"a\\", "{a: 'it\"s'}", "{x: 1} # }"] {
            assert_eq!(object_length(text), None, "{text}");
        }
    }
}
