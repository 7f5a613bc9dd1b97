//! Control characters, which YAML does not allow.

/// The first control character of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ControlCharacter<'a> {
    byte: u8,
    /// The text before the character.
    pub(super) before: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Finds the first control character. The YAML parser takes NUL for the end of the text.
pub(super) fn find_control_character(text: &str) -> Option<ControlCharacter<'_>> {
    let is_control =
        |byte: &u8| (*byte < b' ' && !matches!(*byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    let offset = text.as_bytes().iter().position(is_control)?;
    let begin = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    Some(ControlCharacter {
        byte: text.as_bytes()[offset],
        before: &text[..offset],
        line: 1 + text[..begin].matches('\n').count(),
        column: 1 + text[begin..offset].chars().count(),
    })
}

impl ControlCharacter<'_> {
    pub(super) fn message(&self) -> String {
        match self.byte {
            0 => "contains a NUL byte; the file is damaged, or it is UTF-16 without a byte order mark: write it again as UTF-8".to_owned(),
            byte => format!("contains the control character U+{byte:04X}; remove it"),
        }
    }
}
