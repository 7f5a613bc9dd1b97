//! Splitting a stream into documents.
//!
//! `---` at the beginning of a line ends a document, even inside quotes, as specified by [YAML
//! 1.2](https://yaml.org/spec/1.2.2/#912-document-markers). Splitting before parsing is therefore
//! safe, and a syntax error affects its own document only. JSON objects may also follow each other
//! without a marker.

use std::iter;

use super::json_stream::object_length;
use super::position::Position;

/// A file that is appended to another one may begin with a byte order mark.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Document of a YAML stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document<'a> {
    /// Line of the stream on which the text begins, counted from 1.
    pub line: usize,
    /// Column at which the text begins, in characters, counted from 1.
    pub column: usize,
    /// Offset of the text in the stream, in bytes.
    pub offset: usize,
    /// Text of the document, without the markers.
    pub text: &'a str,
}

impl Document<'_> {
    /// Converts a position in the text of the document to one in the stream.
    pub(super) fn position(&self, line: usize, column: usize) -> Position {
        let before = if line == 1 { self.column - 1 } else { 0 };
        Position::new(self.line + line - 1, column + before)
    }
}

/// Splits a YAML stream into its documents. Documents without content are left out.
pub fn split(stream: &str) -> impl Iterator<Item = Document<'_>> {
    split_at_markers(stream).into_iter().flat_map(Objects::of)
}

/// Splits a stream at the lines `---` and `...`.
fn split_at_markers(stream: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let mut start = Document { line: 1, column: 1, offset: 0, text: stream };
    let mut offset = 0;
    for (index, line) in lines(stream).enumerate() {
        let content = line.trim_start_matches(BYTE_ORDER_MARK);
        let next = if is_marker(content, "---") {
            Some((index + 1, 4, offset + line.len() - content.len() + 3))
        } else if is_marker(content, "...") {
            Some((index + 2, 1, offset + line.len()))
        } else {
            None
        };
        if let Some((line, column, next)) = next {
            documents.push(Document { text: &stream[start.offset..offset], ..start });
            start = Document { line, column, offset: next, text: "" };
        }
        offset += line.len();
    }
    documents.push(Document { text: &stream[start.offset..], ..start });
    documents.retain(|document| lines(document.text).any(has_content));
    documents
}

/// Returns the lines of a text with their ends: LF, CRLF or, as in YAML, CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let length = match rest.bytes().position(|byte| byte == b'\n' || byte == b'\r') {
            Some(end) if rest[end..].starts_with("\r\n") => end + 2,
            Some(end) => end + 1,
            None if rest.is_empty() => return None,
            None => rest.len(),
        };
        let (line, after) = rest.split_at(length);
        rest = after;
        Some(line)
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Returns `true` if a line contains more than a comment or a directive.
fn has_content(line: &str) -> bool {
    let line = line.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
    !line.is_empty() && !line.starts_with('#') && !line.starts_with('%')
}

/// The objects of a document: several if they are JSON objects, otherwise one.
struct Objects<'a> {
    rest: Document<'a>,
}

impl<'a> Objects<'a> {
    fn of(document: Document<'a>) -> Self {
        Self { rest: without_byte_order_mark(document) }
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        let document = self.rest;
        if document.text.is_empty() {
            return None;
        }
        let text = document.text;
        let begin = text.len() - text.trim_start().len();
        let object = object_length(&text[begin..]).map(|length| begin + length);
        let next = object.map(|end| (end, text.len() - trim_start(&text[end..]).len()));
        match next.filter(|(_, next)| text[*next..].starts_with('{')) {
            Some((end, next)) => {
                let (before, after) = text.split_at(next);
                self.rest = Document { text: after, ..after_text(&document, before) };
                Some(Document { text: &text[..end], ..document })
            }
            None => {
                self.rest.text = "";
                Some(document)
            }
        }
    }
}

/// Removes white space and byte order marks from the beginning of a text.
fn trim_start(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK)
}

/// Returns the document without a byte order mark at its beginning or, after the marker `---`, at
/// the beginning of the next line.
fn without_byte_order_mark(document: Document<'_>) -> Document<'_> {
    let text = document.text;
    match text.trim_start().strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => {
            Document { text: rest, ..after_text(&document, &text[..text.len() - rest.len()]) }
        }
        None => document,
    }
}

/// Returns the document with its position moved to the end of `text`, the beginning of its text.
fn after_text<'a>(document: &Document<'a>, text: &str) -> Document<'a> {
    let ends_line = |line: &&str| line.ends_with(['\n', '\r']);
    let breaks = lines(text).filter(ends_line).count();
    let last = lines(text).last().filter(|line| !ends_line(line)).unwrap_or_default();
    // A byte order mark has no width.
    let last = last.chars().filter(|c| *c != BYTE_ORDER_MARK).count();
    let column = if breaks == 0 { document.column + last } else { 1 + last };
    let offset = document.offset + text.len();
    Document { line: document.line + breaks, column, offset, ..*document }
}
