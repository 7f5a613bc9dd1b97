//! Comments of `src` are in plain words: a check against drift, with figures.
//!
//! It counts paragraphs: runs of comment lines, doc comments and others separately. An empty comment
//! line, a heading, a list item and a code block end a paragraph. Code blocks and code spans are
//! left out.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use crate::expect_none;
use crate::sources::Sources;
use crate::tokens::{self, Comment};

/// First words that make a paragraph a subordinate clause or a question.
const OPENINGS: [&str; 7] = ["whether", "what", "who", "whose", "where", "which", "how"];

/// Words that hide the actor, or that a reader of English as a second language looks up.
const OBSCURE: [&str; 8] =
    ["whoever", "somebody", "anybody", "nobody", "anew", "seldom", "hardly", "thereby"];

const MOST_COLUMNS: usize = 100;
/// Shares in per mille: other paragraphs with such an opening, and lines with `where`.
const MOST_OPENINGS: usize = 10;
const MOST_WHERE: usize = 15;

#[derive(Debug, Default)]
struct Report {
    lines: usize,
    doc_paragraphs: usize,
    other_paragraphs: usize,
    doc_openings: Vec<String>,
    other_openings: Vec<String>,
    wheres: Vec<String>,
    obscure: Vec<String>,
    wide: Vec<String>,
}

impl Report {
    fn add(&mut self, path: &Path, text: &str) {
        let (_, comments) = tokens::split(text);
        let source: Vec<_> = text.lines().collect();
        let mut before: Option<&Comment> = None;
        let mut in_code = false;
        let mut in_paragraph = false;
        for comment in &comments {
            let place = format!("{}:{}: {}", path.display(), comment.line, comment.text.trim());
            let continues = before.is_some_and(|before| {
                before.line + 1 == comment.line
                    && (before.is_doc, before.is_trailing) == (comment.is_doc, comment.is_trailing)
            });
            before = Some(comment);
            if !continues {
                (in_code, in_paragraph) = (false, false);
            }
            self.lines += 1;
            let width = source[comment.line - 1].chars().count();
            if width > MOST_COLUMNS && !is_url(&comment.text) {
                self.wide.push(format!("{place} ({width} columns)"));
            }
            if comment.text.trim_start().starts_with("```") {
                (in_code, in_paragraph) = (!in_code, false);
                continue;
            }
            if in_code {
                continue;
            }
            let prose = without_code_spans(&comment.text);
            let words: Vec<_> = words(&prose).collect();
            if words.iter().any(|word| word == "where") {
                self.wheres.push(place.clone());
            }
            self.obscure.extend(
                words.iter().filter(|word| OBSCURE.contains(&word.as_str())).map(|_| place.clone()),
            );
            let block = block(&comment.text);
            if block == Block::Text && in_paragraph || block == Block::None {
                in_paragraph = block == Block::Text;
                continue;
            }
            in_paragraph = block == Block::Text || block == Block::Item;
            let (count, openings) = if comment.is_doc {
                (&mut self.doc_paragraphs, &mut self.doc_openings)
            } else {
                (&mut self.other_paragraphs, &mut self.other_openings)
            };
            *count += 1;
            if words.first().is_some_and(|word| OPENINGS.contains(&word.as_str())) {
                openings.push(place);
            }
        }
    }

    /// Returns the figures, one line for each rule.
    fn figures(&self) -> String {
        let mut text = format!("comments of src: {} lines\n", self.lines);
        let mut figure = |what: &str, count: usize, of: Option<usize>, limit: &str| {
            let share =
                of.map(|of| format!(" of {of} ({:.1} %)", 100.0 * count as f64 / of.max(1) as f64));
            writeln!(text, "  {what}: {count}{} (limit: {limit})", share.unwrap_or_default())
                .unwrap();
        };
        let openings = "paragraphs that open with Whether, What, Who, Whose, Where, Which or How";
        let doc = Some(self.doc_paragraphs);
        figure(&format!("doc {openings}"), self.doc_openings.len(), doc, "0");
        let other = Some(self.other_paragraphs);
        figure(&format!("other {openings}"), self.other_openings.len(), other, "1 %");
        figure("lines with `where`", self.wheres.len(), Some(self.lines), "1.5 %");
        figure(&format!("uses of {}", OBSCURE.join(", ")), self.obscure.len(), None, "0");
        figure(&format!("lines over {MOST_COLUMNS} columns"), self.wide.len(), None, "0");
        text
    }

    /// Returns the lines that break a rule, with the rule before them.
    fn problems(&self) -> Vec<String> {
        let over = |count: usize, of: usize, limit: usize| 1000 * count > limit * of;
        let rules = [
            (
                !self.doc_openings.is_empty(),
                "doc comments open with a verb (functions) or a noun (types); these do not:",
                &self.doc_openings,
            ),
            (
                over(self.other_openings.len(), self.other_paragraphs, MOST_OPENINGS),
                "too many comments open with a question word; state the reason instead:",
                &self.other_openings,
            ),
            (
                over(self.wheres.len(), self.lines, MOST_WHERE),
                "too many lines have `where`; write `if` or `when` for a condition:",
                &self.wheres,
            ),
            (
                !self.obscure.is_empty(),
                "these words are not plain; name the actor, write again, rarely, so:",
                &self.obscure,
            ),
            (!self.wide.is_empty(), "these lines are too wide; wrap the paragraph:", &self.wide),
        ];
        let broken = rules.into_iter().filter(|(is_broken, ..)| *is_broken);
        broken.map(|(_, rule, lines)| format!("{rule}\n    {}", lines.join("\n    "))).collect()
    }
}

/// Role of a comment line in its paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Empty, or a row of a table.
    None,
    Heading,
    Item,
    Text,
}

fn block(line: &str) -> Block {
    let line = line.trim();
    let number = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let is_numbered = number > 0 && line[number..].starts_with(". ");
    match line {
        "" => Block::None,
        _ if line.starts_with('|') => Block::None,
        _ if line.starts_with('#') => Block::Heading,
        _ if line.starts_with("- ") || line.starts_with("* ") || is_numbered => Block::Item,
        _ => Block::Text,
    }
}

/// Returns `true` for a line that cannot be wrapped: a link definition, or a link of one word.
fn is_url(line: &str) -> bool {
    let line = line.trim();
    let target = line.strip_prefix('[').and_then(|line| line.split_once("]: "));
    let word = target.map_or(line, |(_, target)| target);
    word.contains("://") && !word.contains(' ')
}

/// Replaces what is between backticks by one word. A code span ends with its line at the latest.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" code ")
}

fn words(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[test]
fn comments_are_in_plain_words() {
    let sources = Sources::read("src");
    let mut report = Report::default();
    for (path, text) in sources.iter() {
        report.add(path, text);
    }
    // Written past the test harness, so that CI shows the figures of a test that passes.
    io::stderr().write_all(report.figures().as_bytes()).unwrap();
    expect_none("the comments of src break rules of CONTRIBUTING.md:", &report.problems());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        let mut report = Report::default();
        report.add(Path::new("a.rs"), text);
        report
    }

    #[test]
    fn first_words_count_by_paragraph_and_kind() {
        let report = report(
            "//! Whether it is.\n//! What goes on does not count.\n//!\n//! - Who it is.\n\n\
             /// Returns\n/// which of them.\n// Where it is.\nfn f() {} // How it is.\n",
        );
        assert_eq!(report.doc_paragraphs, 3);
        assert_eq!(report.doc_openings.len(), 2, "{:?}", report.doc_openings);
        assert_eq!(report.other_paragraphs, 2);
        assert_eq!(report.other_openings.len(), 2, "{:?}", report.other_openings);
        assert_eq!(report.wheres, ["a.rs:8: Where it is."]);
    }

    #[test]
    fn code_is_not_counted() {
        let report = report("/// `Where` is it.\n/// ```\n/// where T: Whoever\n/// ```\n");
        assert!(report.wheres.is_empty() && report.obscure.is_empty());
        assert!(report.problems().is_empty(), "{:?}", report.problems());
        assert_eq!(report.lines, 4);
    }

    #[test]
    fn obscure_words_and_wide_lines_have_a_position() {
        let words = report(&format!("\n// Nobody hardly knows.\n// {}\n", "a ".repeat(48)));
        assert_eq!(words.obscure.len(), 2);
        assert!(words.obscure[0].starts_with("a.rs:2: "));
        assert_eq!(words.wide.len(), 0);
        let url = format!("https://{}", "c".repeat(100));
        let links =
            report(&format!("/// [a]: {url}\n/// [b]({url})\n/// <{url}>.\n/// See {url}\n"));
        assert_eq!(links.wide.len(), 1, "{:?}", links.wide);
        let wide = report(&format!("// {}", "b".repeat(100)));
        assert!(wide.wide[0].ends_with("(103 columns)"), "{:?}", wide.wide);
    }

    #[test]
    fn shares_have_limits() {
        let plain = "// One.\n\n".repeat(99);
        assert!(report(&format!("{plain}// Who.")).problems().is_empty());
        assert_eq!(report(&format!("{plain}// Who.\n\n// How.")).problems().len(), 1);
    }
}
