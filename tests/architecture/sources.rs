//! Source files: those of this crate, or made-up ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Texts of Rust files by path, relative to the crate's root.
pub(crate) struct Sources(pub(crate) BTreeMap<PathBuf, String>);

impl Sources {
    /// Reads every `.rs` file below `folder` of this crate.
    pub(crate) fn read(folder: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    files.insert(path.clone(), fs::read_to_string(&path).unwrap());
                }
            }
        }
        assert!(!files.is_empty(), "{folder} has no Rust files: run the test in the crate's root");
        Self(files)
    }

    /// Returns made-up files, for the tests of a check.
    pub(crate) fn made_up(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.0.iter().map(|(path, text)| (path.as_path(), text.as_str()))
    }
}
