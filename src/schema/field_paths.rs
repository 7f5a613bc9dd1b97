//! Collects the paths of duplicate or unknown fields.

use super::field_path::FieldPath;
use super::shortened::shortened;

/// Number of paths that are kept.
const MAX_PATHS: usize = 100;

/// Longest part of a path that is kept. Each path repeats the names of its parents, so that all
/// paths together can be far larger than the document.
const MAX_BYTES: usize = 256;

/// Paths of fields, without repetitions. Paths that are equal after they are shortened count once.
#[derive(Debug, Default)]
pub(super) struct FieldPaths {
    kept: Vec<String>,
    has_more: bool,
}

impl FieldPaths {
    pub(super) fn add(&mut self, path: FieldPath<'_>) {
        if self.has_more {
            return;
        }
        let path = shortened(path, MAX_BYTES);
        if self.kept.contains(&path) {
            return;
        }
        match self.kept.len() {
            MAX_PATHS => self.has_more = true,
            _ => self.kept.push(path),
        }
    }

    /// Sorts the paths that are kept.
    pub(super) fn sort(&mut self) {
        self.kept.sort_unstable();
    }

    /// Returns the paths that are kept. A last text stands for further ones.
    pub(super) fn into_list(self) -> Vec<String> {
        let mut list = self.kept;
        if self.has_more {
            list.push("… and further fields".to_owned());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let mut paths = FieldPaths::default();
        for name in names {
            paths.add(FieldPath::ROOT.field(name));
        }
        paths.into_list()
    }

    #[test]
    fn paths_are_bounded() {
        let names: Vec<_> = (0..101).map(|index| index.to_string()).collect();
        let hundred = &names[..100];
        assert_eq!(list(hundred), hundred);
        assert_eq!(list(hundred.iter().chain(&names[..1])), hundred);
        let more = list(&names);
        assert_eq!((&more[..100], more[100].as_str()), (hundred, "… and further fields"));
        assert_eq!(list(&["x".repeat(300)]), ["x".repeat(256) + "…"]);
    }
}
