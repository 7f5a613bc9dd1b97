//! A file as it was last read. What has not changed in it is not parsed again.

use std::collections::HashMap;
use std::path::Path;

use crate::model::manifest::{Content, Document, Entry, read_document, split};

/// The text of a file, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedFile {
    text: String,
    /// The entries of each document.
    documents: Vec<Vec<Entry>>,
}

impl ParsedFile {
    /// Parses a file. Documents that it had `before` are taken from there, wherever they stand now;
    /// but not faulty ones, whose errors tell their lines.
    pub(super) fn parse(file: &Path, text: String, before: Option<&Self>) -> Self {
        if let Some(same) = before.filter(|before| before.text == text) {
            return same.clone();
        }
        let known: HashMap<_, _> = before.into_iter().flat_map(Self::valid_documents).collect();
        let read = |document: Document<'_>| match known.get(document.text) {
            Some(entries) => {
                let here = |entry: &Entry| Entry { line: document.line, ..entry.clone() };
                entries.iter().map(here).collect()
            }
            None => read_document(&document),
        };
        let page = Self { documents: split(&text).map(read).collect(), text };
        for entry in page.entries() {
            if let Content::Unsupported(what) = &entry.content {
                tracing::debug!(file = %file.display(), line = entry.line, what, "not used for routing");
            }
        }
        page
    }

    /// What the documents say, in their order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.documents.iter().flatten()
    }

    /// The documents without errors, by their text.
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
    fn a_document_that_has_only_moved_is_taken_over_to_its_new_line() {
        let before = parse(&[ONE, TWO].concat(), None);
        let after = parse(&[TWO, BAD, ONE, ONE].concat(), Some(&before));
        let fresh = parse(&[TWO, BAD, ONE, ONE].concat(), None);
        assert_eq!(after, fresh);
        let lines: Vec<_> = after.entries().map(|entry| entry.line).collect();
        assert_eq!(lines, [1, 5, 9, 13]);
        let of = |page: &ParsedFile, place| namespace(page.entries().nth(place).unwrap()).clone();
        assert!(Arc::ptr_eq(&of(&before, 0), &of(&after, 2)));
        assert!(Arc::ptr_eq(&of(&before, 1), &of(&after, 0)));
        assert!(!Arc::ptr_eq(&of(&before, 1), &of(&fresh, 0)));
    }

    #[test]
    fn invalid_document_has_its_new_line() {
        let before = parse(BAD, None);
        let after = parse(&[ONE, BAD].concat(), Some(&before));
        let error = |page: &ParsedFile| match &page.entries().last().unwrap().content {
            Content::Invalid(errors) => errors[0].line,
            other => panic!("{other:?}"),
        };
        assert_eq!((error(&before), error(&after)), (4, 8));
    }
}
