//! Positions in a text.

/// Position in a manifest: line and column, counted from 1. The column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    line: u32,
    column: u32,
}

impl Position {
    /// Creates a position. Numbers that do not fit are replaced by the largest one.
    pub(super) fn new(line: usize, column: usize) -> Self {
        let limited = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: limited(line), column: limited(column) }
    }

    /// Returns the position at the end of a text. Lines end at LF, CRLF or, as in YAML, CR.
    pub(super) fn at_end_of(text: &str) -> Self {
        let line_ends = text.matches(['\r', '\n']).count() - text.matches("\r\n").count();
        let last_line = text.rfind(['\r', '\n']).map_or(0, |end| end + 1);
        Self::new(1 + line_ends, 1 + text[last_line..].chars().count())
    }

    pub(super) fn line(self) -> usize {
        self.line as usize
    }

    pub(super) fn column(self) -> usize {
        self.column as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_lf_crlf_and_cr() {
        for (text, line, column) in [
            ("", 1, 1),
            ("a", 1, 2),
            ("a\n", 2, 1),
            ("a\r\né", 2, 2),
            ("a\rb\r\rc", 4, 2),
            ("a\n\rb", 3, 2),
        ] {
            assert_eq!(Position::at_end_of(text), Position::new(line, column), "{text:?}");
        }
    }
}
