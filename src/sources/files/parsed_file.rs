//! A parsed file. After a change, only the documents that changed are parsed again.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::model::manifest::{Content, Document, Entry, read_document, split};

/// Maximum number of errors of a file that are kept. A file that is not a manifest can contain one
/// error for each of its lines.
const MAX_ERRORS: usize = 100;

/// The text of a file and the entries of its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedFile {
    text: String,
    documents: Vec<ParsedDocument>,
    /// Number of errors beyond [`MAX_ERRORS`]. Their entries contain an empty list of errors.
    omitted_errors: usize,
}

/// A document, and the entries that it contains.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ParsedDocument {
    /// Bytes of the document in the text of the file.
    range: Range<usize>,
    entries: Vec<Entry>,
}

impl ParsedFile {
    /// Parses the text of a file.
    ///
    /// A document with the same text as in `before` is not parsed again, even at another line. An
    /// invalid document is parsed again, because its errors contain line numbers.
    pub(super) fn parse(file: &Path, text: String, before: Option<&Arc<Self>>) -> Arc<Self> {
        if let Some(same) = before.filter(|before| before.text == text) {
            return same.clone();
        }
        let known: HashMap<_, _> =
            before.into_iter().flat_map(|before| before.valid_documents()).collect();
        let mut errors = ErrorLimit::default();
        let read = |document: Document<'_>| {
            let entries = match known.get(document.text) {
                Some(entries) => {
                    let at_new_line =
                        |entry: &Entry| Entry { line: document.line, ..entry.clone() };
                    entries.iter().map(at_new_line).collect()
                }
                None => errors.limit(read_document(&document)),
            };
            let range = document.offset..document.offset + document.text.len();
            ParsedDocument { range, entries }
        };
        let documents = split(&text).map(read).collect();
        let parsed = Self { documents, text, omitted_errors: errors.omitted };
        for entry in parsed.entries() {
            let kind = match &entry.content {
                Content::Unsupported(description) => description,
                Content::Unserved(key, _) => &key.to_string(),
                Content::Object(_) | Content::Invalid(_) => continue,
            };
            let (file, line) = (file.display(), entry.line);
            tracing::debug!(%file, line, kind, "skipped an object that routing does not use");
        }
        Arc::new(parsed)
    }

    /// Returns the number of errors that are not kept.
    pub(super) fn omitted_errors(&self) -> usize {
        self.omitted_errors
    }

    /// Returns the entries of all documents, in their order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.documents.iter().flat_map(|document| &document.entries)
    }

    /// Returns the documents without errors: their text and entries.
    fn valid_documents(&self) -> impl Iterator<Item = (&str, &[Entry])> {
        let is_valid = |entry: &Entry| !matches!(entry.content, Content::Invalid(_));
        self.documents
            .iter()
            .filter(move |document| document.entries.iter().all(is_valid))
            .map(|document| (&self.text[document.range.clone()], document.entries.as_slice()))
    }
}

/// Removal of the errors beyond [`MAX_ERRORS`].
#[derive(Default)]
struct ErrorLimit {
    kept: usize,
    omitted: usize,
}

impl ErrorLimit {
    fn limit(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        for entry in &mut entries {
            if let Content::Invalid(errors) = &mut entry.content {
                let found = errors.len();
                errors.truncate(MAX_ERRORS - self.kept);
                errors.shrink_to_fit();
                self.kept += errors.len();
                self.omitted += found - errors.len();
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Namespace, Object};

    fn parse(text: &str, before: Option<&Arc<ParsedFile>>) -> Arc<ParsedFile> {
        ParsedFile::parse(Path::new("a.yaml"), text.to_owned(), before)
    }

    fn namespace(entry: &Entry) -> &Arc<Namespace> {
        let Content::Object(Object::Namespace(namespace)) = &entry.content else {
            panic!("{entry:?}")
        };
        namespace
    }

    const ONE: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n";
    const TWO: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n";
    const BAD: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: 3}\n";

    #[test]
    fn moved_document_is_reused_at_its_new_line() {
        let before = parse(&[ONE, TWO].concat(), None);
        let after = parse(&[TWO, BAD, ONE, ONE].concat(), Some(&before));
        let fresh = parse(&[TWO, BAD, ONE, ONE].concat(), None);
        assert_eq!(after, fresh);
        let lines: Vec<_> = after.entries().map(|entry| entry.line).collect();
        assert_eq!(lines, [1, 5, 9, 13]);
        let nth =
            |parsed: &ParsedFile, index| namespace(parsed.entries().nth(index).unwrap()).clone();
        assert!(Arc::ptr_eq(&nth(&before, 0), &nth(&after, 2)));
        assert!(Arc::ptr_eq(&nth(&before, 1), &nth(&after, 0)));
        assert!(!Arc::ptr_eq(&nth(&before, 1), &nth(&fresh, 0)));
    }

    #[test]
    fn moved_invalid_document_is_parsed_again() {
        let before = parse(BAD, None);
        let after = parse(&[ONE, BAD].concat(), Some(&before));
        let error = |parsed: &ParsedFile| match &parsed.entries().last().unwrap().content {
            Content::Invalid(errors) => errors[0].line,
            other => panic!("{other:?}"),
        };
        assert_eq!((error(&before), error(&after)), (4, 8));
    }

    #[test]
    fn errors_beyond_the_limit_are_counted() {
        let parsed = parse(&BAD.repeat(1_000), None);
        let errors = parsed.entries().map(|entry| match &entry.content {
            Content::Invalid(errors) => errors.len(),
            other => panic!("{other:?}"),
        });
        assert_eq!((errors.sum::<usize>(), parsed.omitted_errors()), (100, 900));
        assert_eq!(parsed.entries().count(), 1_000);
    }
}
