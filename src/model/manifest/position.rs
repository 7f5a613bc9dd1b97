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

    pub(super) fn line(self) -> usize {
        self.line as usize
    }

    pub(super) fn column(self) -> usize {
        self.column as usize
    }
}
