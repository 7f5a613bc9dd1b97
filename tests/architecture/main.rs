//! Checks of texts: layers, import cycles, layout and comments of `src`, and links of documents.
//!
//! The checks read `src` as text, split it into tokens and resolve `use` declarations themselves,
//! so they need no build of the crate. Each check also runs on sources that a unit test makes up.
//!
//! | file | checks |
//! |---|---|
//! | `cycles` | no two files import each other, directly or through others |
//! | `layers` | each folder imports only the layers below it |
//! | `layout` | unreachable files, `mod.rs`, `super::super`, length, names of files and types |
//! | `purity` | crates with I/O and the YAML parser stay in their places |
//! | `comments` | words, first words and width of comments |
//! | `quotes` | messages that docs/kubernetes.md quotes |
//! | `links` | links between Markdown files, and file names in ARCHITECTURE.md |
//!
//! `tokens` splits a file, `imports` finds what it declares and imports, `crates` resolves a path to
//! the file that defines its item.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod comments;
mod crates;
mod cycles;
mod imports;
mod layers;
mod layout;
mod links;
mod purity;
mod quotes;
mod sources;
mod tokens;

/// Fails with one line for each problem, after `summary`.
#[track_caller]
fn expect_none(summary: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{summary}\n{}\n", problems.join("\n"));
}
