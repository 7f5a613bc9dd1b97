//! Control characters, which YAML does not allow.

use super::position::Position;

/// The first control character of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ControlCharacter<'a> {
    byte: u8,
    /// The text before the character.
    pub(super) before: &'a str,
    /// Position of the character in the text.
    pub(super) position: Position,
}

/// Finds the first control character. The YAML parser takes NUL for the end of the text.
pub(super) fn find_control_character(text: &str) -> Option<ControlCharacter<'_>> {
    let is_control =
        |byte: &u8| (*byte < b' ' && !matches!(*byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    let offset = text.as_bytes().iter().position(is_control)?;
    let before = &text[..offset];
    let position = Position::at_end_of(before);
    Some(ControlCharacter { byte: text.as_bytes()[offset], before, position })
}

impl ControlCharacter<'_> {
    pub(super) fn message(&self) -> String {
        match self.byte {
            0 => "contains a NUL byte; the file is damaged, or it is UTF-16 without a byte order mark: write it again as UTF-8".to_owned(),
            byte => format!("contains the control character U+{byte:04X}; remove it"),
        }
    }
}
