//! Percent-encoding of paths and queries.

/// Decodes a part of a URL. Returns `None` if an escape is malformed or the result is not UTF-8.
pub(super) fn decode(text: &str, is_query: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let (high, low) = (bytes.next()?, bytes.next()?);
                hex(high)? << 4 | hex(low)?
            }
            b'+' if is_query => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode("a%2Fb%c3%a9+c", false).as_deref(), Some("a/bé+c"));
        assert_eq!(decode("a+b%20c", true).as_deref(), Some("a b c"));
        for malformed in ["%", "%4", "%4g", "%ff", "%+1"] {
            assert_eq!(decode(malformed, true), None, "{malformed}");
        }
    }
}
