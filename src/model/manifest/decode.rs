//! Decoding the bytes of a file.

use super::position::Position;

/// Error for bytes that are not text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not valid {encoding}; save the file as UTF-8")]
#[non_exhaustive]
pub struct DecodeError {
    /// Line of the first invalid byte, counted from 1.
    pub line: usize,
    /// The expected encoding.
    pub encoding: &'static str,
}

/// Decodes a manifest: UTF-8, or UTF-16 with a byte order mark.
///
/// # Errors
/// Returns [`DecodeError`] if the bytes are not valid in the encoding.
pub fn decode(bytes: Vec<u8>) -> Result<String, DecodeError> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, "UTF-16 (little endian)", u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, "UTF-16 (big endian)", u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            invalid(&String::from_utf8_lossy(&error.as_bytes()[..valid]), "UTF-8")
        }),
    }
}

fn decode_utf16(
    bytes: &[u8],
    encoding: &'static str,
    unit: fn([u8; 2]) -> u16,
) -> Result<String, DecodeError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(decoded.map_err(|_| invalid(&text, encoding))?);
    }
    if odd.is_empty() { Ok(text) } else { Err(invalid(&text, encoding)) }
}

/// Returns the error for bytes that follow a valid text.
fn invalid(text: &str, encoding: &'static str) -> DecodeError {
    DecodeError { line: Position::at_end_of(text).line(), encoding }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_with_byte_order_mark_is_decoded() {
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(decode(utf16("a: é😀\n", bytes)).as_deref(), Ok("a: é😀\n"));
        }
        assert_eq!(decode("a: é".into()).as_deref(), Ok("a: é"));
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }

    #[test]
    fn invalid_bytes_have_a_line() {
        let error = decode(b"a: 1\nb: \xe9\n".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "line 2 is not valid UTF-8; save the file as UTF-8");
        let mut bytes = utf16("a\nb\n", u16::to_le_bytes);
        bytes.push(b'c');
        let error = decode(bytes).unwrap_err();
        assert_eq!((error.line, error.encoding), (3, "UTF-16 (little endian)"));
    }
}
