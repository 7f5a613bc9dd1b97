//! The rooms of the house, and the doors between them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and what of ours it may use.
const DOORS: [(&str, &[&str]); 6] = [
    ("model", &["model"]),
    ("plan.rs", &["model"]),
    ("translate", &["translate", "model", "plan"]),
    ("forward", &["forward", "model", "plan"]),
    // The status of a source's objects comes back through its feed.
    ("sources", &["sources", "model", "translate"]),
    ("server", &["server", "model", "plan", "translate", "forward", "sources"]),
];

/// What must not be found in a room.
const BARRED: [(&str, &[&str]); 3] = [
    ("model", &["tokio", "std::net::Tcp", "std::fs", "SystemTime", "Instant"]),
    (
        "translate",
        &["tokio", "std::net::Tcp", "std::fs", "SystemTime", "Instant", "Timestamp::now"],
    ),
    // The names of objects are all that the data path knows of Gateway API.
    ("forward", &["model::Gateway", "model::TcpRoute", "model::Resources", "model::*"]),
];

fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

fn source(room: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let files = rust_files(&Path::new("src").join(room));
    assert!(!files.is_empty(), "{room} is empty");
    // Prose may speak of anything.
    let code = |text: String| -> String {
        text.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    files.into_iter().map(move |file| (file.clone(), code(fs::read_to_string(file).unwrap())))
}

#[test]
fn rooms_use_only_what_they_may() {
    for (room, doors) in DOORS {
        for (file, code) in source(room) {
            let used: BTreeSet<_> = code
                .split("crate::")
                .skip(1)
                .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
                .collect();
            for name in used {
                assert!(doors.contains(&name), "{} uses crate::{name}", file.display());
            }
        }
    }
}

#[test]
fn rooms_are_free_of_what_they_must_not_know() {
    for (room, barred) in BARRED {
        for (file, code) in source(room) {
            for name in barred {
                assert!(!code.contains(name), "{} knows {name}", file.display());
            }
        }
    }
}

#[test]
fn only_the_manifest_folder_knows_the_yaml_library() {
    for (room, _) in DOORS {
        for (file, code) in source(room) {
            if !file.starts_with("src/model/manifest") {
                assert!(!code.contains("serde_yaml"), "{} knows serde_yaml", file.display());
            }
        }
    }
}
