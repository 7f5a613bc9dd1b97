//! Splitting a stream into documents.
//!
//! `---` at the beginning of a line ends a document, even inside quotes, as specified by [YAML
//! 1.2](https://yaml.org/spec/1.2.2/#912-document-markers). Splitting before parsing is therefore
//! safe, and a syntax error affects its own document only.

/// Document of a YAML stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document<'a> {
    /// Line of the stream on which the text begins, counted from 1.
    pub line: usize,
    /// Text of the document, without the markers.
    pub text: &'a str,
}

impl Document<'_> {
    /// Returns the text with empty lines before it, so that a parser reports line numbers of the
    /// stream.
    pub(super) fn padded(&self) -> String {
        "\n".repeat(self.line - 1) + self.text
    }
}

/// Splits a YAML stream into its documents. Documents without content are left out.
pub fn split(stream: &str) -> impl Iterator<Item = Document<'_>> {
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream);
    let mut starts = vec![(1, 0)];
    let mut ends = Vec::new();
    let mut offset = 0;
    for (index, line) in stream.split_inclusive('\n').enumerate() {
        if is_marker(line, "---") {
            ends.push(offset);
            starts.push((index + 1, offset + 3));
        } else if is_marker(line, "...") {
            ends.push(offset);
            starts.push((index + 2, offset + line.len()));
        }
        offset += line.len();
    }
    ends.push(stream.len());
    starts
        .into_iter()
        .zip(ends)
        .map(|((line, start), end)| Document { line, text: &stream[start..end] })
        .filter(|document| document.text.lines().any(has_content))
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Returns `true` if a line contains more than a comment or a directive.
fn has_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with('%')
}
