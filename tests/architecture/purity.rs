//! Clocks, sockets, files and the YAML library are used only in the folders they belong to.
//!
//! Clippy's `disallowed-methods` hold for a whole crate, so a rule for one folder is checked here.

use std::path::Path;

use crate::expect_none;
use crate::sources::Sources;
use crate::tokens::{self, Kind};

/// Words that the code of a folder must not contain, and the reason.
const FORBIDDEN: [(&str, &[&str], &str); 2] = [
    (
        "src/model",
        &["tokio", "mio", "fs", "TcpListener", "TcpStream", "UdpSocket", "SystemTime", "Instant"],
        "the model does no I/O and reads no clock; pass the value in",
    ),
    (
        "src/translate",
        &[
            "tokio",
            "mio",
            "fs",
            "TcpListener",
            "TcpStream",
            "UdpSocket",
            "SystemTime",
            "Instant",
            "now",
        ],
        "translation is a function of its arguments; pass the value in",
    ),
];

/// The one folder that uses the YAML library, so that it can be replaced.
const YAML: (&str, &str) = ("src/model/manifest", "serde_yaml");

fn forbidden(path: &Path, text: &str) -> Vec<String> {
    let (tokens, _) = tokens::split(text);
    let words = || tokens.iter().filter(|token| token.kind == Kind::Word);
    let place = |line| format!("{}:{line}", path.display());
    let mut found = Vec::new();
    for (folder, names, reason) in FORBIDDEN {
        let names = |word: &str| names.contains(&word) && path.starts_with(folder);
        let used = words().filter(|word| names(&word.text));
        found.extend(used.map(|word| format!("{}: {}; {reason}", place(word.line), word.text)));
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
    fn clock_in_model_is_found_within_a_use_tree() {
        assert_eq!(count("src/model/a.rs", "use std::{time::{Duration, Instant}, fmt};"), 1);
        assert_eq!(count("src/forward/a.rs", "use std::time::Instant;"), 0);
    }

    #[test]
    fn names_in_comments_and_strings_are_not_counted() {
        assert_eq!(count("src/model/a.rs", "// Instant\nconst A: &str = \"tokio\";"), 0);
    }

    #[test]
    fn yaml_library_is_allowed_in_manifest_only() {
        assert_eq!(count("src/model/manifest/a.rs", "use serde_yaml::Value;"), 0);
        assert_eq!(count("src/sources/a.rs", "use serde_yaml::Value;"), 1);
    }
}
