//! A parsed file. After a change, only the documents that changed are parsed again.

use std::collections::HashMap;
use std::path::Path;

use crate::model::manifest::{Content, Document, Entry, read_document, split};

/// The text of a file and the entries of its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedFile {
    text: String,
    /// The entries of each document.
    documents: Vec<Vec<Entry>>,
}

impl ParsedFile {
    /// Parses the text of a file.
    ///
    /// A document with the same text as in `before` is not parsed again, even at another line. An
    /// invalid document is parsed again, because its errors contain line numbers.
    pub(super) fn parse(file: &Path, text: String, before: Option<&Self>) -> Self {
        if let Some(same) = before.filter(|before| before.text == text) {
            return same.clone();
        }
        let known: HashMap<_, _> = before.into_iter().flat_map(Self::valid_documents).collect();
        let read = |document: Document<'_>| match known.get(document.text) {
            Some(entries) => {
                let at_new_line = |entry: &Entry| Entry { line: document.line, ..entry.clone() };
                entries.iter().map(at_new_line).collect()
            }
            None => read_document(&document),
        };
        let parsed = Self { documents: split(&text).map(read).collect(), text };
        for entry in parsed.entries() {
            if let Content::Unsupported(kind) = &entry.content {
                let (file, line) = (file.display(), entry.line);
                tracing::debug!(%file, line, kind, "skipped an object that routing does not use");
            }
        }
        parsed
    }

    /// Returns the entries of all documents, in their order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.documents.iter().flatten()
    }

    /// Returns the documents without errors: their text and entries.
    fn valid_documents(&self) -> impl Iterator<Item = (&str, &[Entry])> {
        let is_valid = |entry: &Entry| !matches!(entry.content, Content::Invalid(_));
        split(&self.text)
            .map(|document| document.text)
            .zip(self.documents.iter().map(Vec::as_slice))
            .filter(move |(_, entries)| entries.iter().all(is_valid))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Namespace, Object};

    fn parse(text: &str, before: Option<&ParsedFile>) -> ParsedFile {
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
}
