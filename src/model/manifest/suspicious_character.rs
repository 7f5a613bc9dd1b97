//! Characters that look like others, or that are invisible.

/// Returns a description of the first character that a name cannot contain: a typographic quote, a
/// space, an invisible character or a letter of another script. Editors and web pages insert them.
///
/// Names of fields, kinds and groups consist of visible ASCII characters.
pub(super) fn find_suspicious_character(name: &str) -> Option<String> {
    let letter = name.chars().find(|letter| !letter.is_ascii_graphic())?;
    let code = u32::from(letter);
    Some(match letter {
        ' ' => "a space".to_owned(),
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => {
            format!("the typographic quote {letter} (U+{code:04X})")
        }
        _ if letter.is_whitespace() || is_invisible(letter) => {
            format!("the invisible character U+{code:04X}")
        }
        _ => format!("the character {letter} (U+{code:04X})"),
    })
}

/// Returns the name without the characters that [`find_suspicious_character`] finds.
pub(super) fn remove_suspicious_characters(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).collect()
}

/// Returns `true` for characters without width: soft hyphens, joiners, direction marks and byte
/// order marks.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_described() {
        for (name, found) in [
            ("apiVersion", None),
            ("gateway.networking.k8s.io/v1", None),
            ("“Gateway”", Some("the typographic quote “ (U+201C)")),
            ("Gateway\u{a0}", Some("the invisible character U+00A0")),
            ("Gate\u{200b}way", Some("the invisible character U+200B")),
            ("Gateway ", Some("a space")),
            ("Gаteway", Some("the character а (U+0430)")),
        ] {
            assert_eq!(find_suspicious_character(name).as_deref(), found, "{name}");
        }
        assert_eq!(remove_suspicious_characters("“Gate\u{200b}way”"), "Gateway");
    }
}
