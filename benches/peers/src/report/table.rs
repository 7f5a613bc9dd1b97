//! Tables for the terminal and in Markdown.

/// Rows of cells under a head; all but the first column are aligned to the right.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn with_head(head: Vec<String>) -> Self {
        Self { rows: vec![head] }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub(crate) fn aligned(&self) -> String {
        let lines = self.padded().map(|cells| format!("  {}\n", cells.join("   ").trim_end()));
        lines.collect()
    }

    pub(crate) fn markdown(&self) -> String {
        let mut lines = self.padded().map(|cells| format!("| {} |\n", cells.join(" | ")));
        let head = lines.next().unwrap_or_default();
        let columns = self.rows.first().map_or(0, |head| head.len().saturating_sub(1));
        format!("{head}|---|{}\n{}", "---:|".repeat(columns), lines.collect::<String>())
    }

    fn padded(&self) -> impl Iterator<Item = Vec<String>> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&widths).enumerate();
            let padded = cells.map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            padded.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_written_as_text_and_markdown() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let mut table = Table::with_head(row(&["proxy", "µs"]));
        table.push(row(&["one", "1000"]));
        assert_eq!(table.aligned(), "  proxy     µs\n  one     1000\n");
        assert_eq!(table.markdown(), "| proxy |   µs |\n|---|---:|\n| one   | 1000 |\n");
    }
}
