//! Messages that the documents quote are messages of the program.

use std::fs;

use crate::expect_none;
use crate::sources::Sources;
use crate::tokens::{self, Kind};

/// The pages with quotes.
const PAGES: [&str; 3] = ["docs/api.md", "docs/files.md", "docs/kubernetes.md"];

/// Returns the line and the constant parts of each quoted message (*“…”*). A `…` and a number stand
/// for a part that varies.
fn quotes(page: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let quoted = line.split("*“").skip(1).filter_map(|rest| rest.split("”*").next());
        found.extend(quoted.map(|quote| (index + 1, parts(quote))));
    }
    found
}

fn parts(quote: &str) -> Vec<String> {
    let parts = quote.split(|c: char| c == '…' || c.is_ascii_digit());
    // The punctuation beside a varying part is not in the same literal.
    let parts = parts.map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()));
    parts.filter(|part| part.contains(' ')).map(str::to_owned).collect()
}

/// Returns the string literals of `sources`, in one text.
fn literals(sources: &Sources) -> String {
    let mut text = String::new();
    for (_, source) in sources.iter() {
        let (tokens, _) = tokens::split(source);
        for token in tokens.iter().filter(|token| token.kind == Kind::Text) {
            // A backslash at the end of a line joins it with the next one.
            let lines = token.text.split("\\\n").enumerate();
            text.extend(
                lines.map(|(index, line)| if index == 0 { line } else { line.trim_start() }),
            );
            text.push('\n');
        }
    }
    text
}

fn unknown(page: &str, text: &str, messages: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (line, parts) in quotes(text) {
        let missing = parts.into_iter().filter(|part| !messages.contains(part.as_str()));
        problems.extend(missing.map(|part| {
            format!("{page}:{line}: no message contains “{part}”. Quote the new text")
        }));
    }
    problems
}

#[test]
fn quoted_messages_exist() {
    let mut messages = literals(&Sources::read("src"));
    for entry in fs::read_dir("tests/translate").unwrap() {
        messages += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    let problems = PAGES.iter().flat_map(|page| {
        let text = fs::read_to_string(page).unwrap();
        unknown(page, &text, &messages)
    });
    expect_none("quotes are out of date:", &problems.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_that_no_longer_exists_is_found() {
        let sources = [("src/a.rs", "f(\"Service {name} has no \\\n    address yet: wait.\")")];
        let messages = literals(&Sources::made_up(&sources));
        let page = "*“Service … has no address yet”*\n*“Service … is somebody's.”*";
        let found = unknown("docs/kubernetes.md", page, &messages);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("docs/kubernetes.md:2: no message contains “is somebody's”"));
    }
}
