//! The pure modules use no crate that does I/O, and only one folder uses the YAML parser.
//!
//! Clippy checks methods and types (clippy.toml), but cannot forbid a whole crate or module.

use std::path::Path;

use crate::expect_none;
use crate::sources::Sources;
use crate::tokens::{self, Kind};

/// Modules without I/O, clocks and randomness: an embedder can run them anywhere.
const PURE: [&str; 4] = ["src/model", "src/plan", "src/schema", "src/translate"];

/// Crates and modules that pure modules must not use.
const FORBIDDEN: [&str; 7] = ["tokio", "mio", "socket2", "rustix", "nix", "fastrand", "fs"];

/// The one folder that uses the YAML parser, so that it can be replaced.
const YAML: (&str, &str) = ("src/model/manifest", "granit_parser");

fn forbidden(path: &Path, text: &str) -> Vec<String> {
    let (tokens, _) = tokens::split(text);
    let words = || tokens.iter().filter(|token| token.kind == Kind::Word);
    let place = |line| format!("{}:{line}", path.display());
    let mut found = Vec::new();
    if PURE.iter().any(|pure| path.starts_with(pure)) {
        let used = words().filter(|word| FORBIDDEN.contains(&word.text.as_str()));
        found.extend(used.map(|word| {
            let reason = "this module does no I/O. Pass the value in";
            format!("{}: {}; {reason}", place(word.line), word.text)
        }));
    }
    let yaml = words().filter(|word| word.text == YAML.1 && !path.starts_with(YAML.0));
    found.extend(yaml.map(|word| {
        format!(
            "{}: {}; only {} may use it. Add what you need there",
            place(word.line),
            YAML.1,
            YAML.0
        )
    }));
    found
}

#[test]
fn folders_contain_no_forbidden_names() {
    let sources = Sources::read("src");
    let found = sources.iter().flat_map(|(path, text)| forbidden(path, text));
    expect_none("src uses names that its folder must not know:", &found.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        forbidden(Path::new(path), text).len()
    }

    #[test]
    fn crate_with_io_is_found_within_a_use_tree() {
        assert_eq!(count("src/model/a.rs", "use std::{fmt, fs::{self, File}};"), 1);
        assert_eq!(count("src/plan/a.rs", "use tokio::net::TcpStream;"), 1);
        assert_eq!(count("src/forward/a.rs", "use tokio::net::TcpStream;"), 0);
    }

    #[test]
    fn names_in_comments_and_strings_are_not_counted() {
        assert_eq!(count("src/model/a.rs", "// mio\nconst A: &str = \"tokio\";"), 0);
    }

    #[test]
    fn yaml_library_is_allowed_in_manifest_only() {
        assert_eq!(count("src/model/manifest/a.rs", "use granit_parser::Event;"), 0);
        assert_eq!(count("src/sources/a.rs", "use granit_parser::Event;"), 1);
    }
}
