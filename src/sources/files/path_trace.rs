//! The way to a file: the directories and symbolic links by which the kernel resolves a path.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use super::listing::has_manifest_name;

/// The kernel resolves at most this many symbolic links in a path, then it returns `ELOOP`.
const MAX_LINKS: usize = 40;

/// The directories in which a change affects the files of a source. All paths are absolute and
/// contain neither symbolic links nor `..`.
#[derive(Debug, Default)]
pub(super) struct PathTrace {
    /// The directories of the source: every manifest in them is relevant.
    pub(super) listed: BTreeSet<PathBuf>,
    /// The relevant entries of all directories on the way: files, links and directories. They may
    /// be missing.
    pub(super) entries: BTreeSet<PathBuf>,
}

impl PathTrace {
    /// Traces these files and directories.
    pub(super) fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let mut trace = Self::default();
        for path in paths {
            trace.add_path(path);
        }
        trace
    }

    /// Returns all directories on the way.
    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        let parents = self.entries.iter().filter_map(|entry| entry.parent());
        parents.map(Path::to_owned).chain(self.listed.iter().cloned()).collect()
    }

    fn add_path(&mut self, path: &Path) {
        // A relative path is resolved from the directory itself, not from its name. If the
        // directory was removed, nothing can appear in it.
        let Ok(start) = env::current_dir() else { return };
        let Some(target) = self.follow(start, path) else { return };
        let Ok(entries) = fs::read_dir(&target) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if has_manifest_name(&name) && entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                self.follow(target.clone(), Path::new(&name));
            }
        }
        self.listed.insert(target);
    }

    /// Resolves a path as the kernel does. Returns the target, unless it is missing or the links
    /// form a loop.
    fn follow(&mut self, mut directory: PathBuf, path: &Path) -> Option<PathBuf> {
        let mut rest = Vec::new();
        push_steps(&mut rest, path);
        let mut links = 0;
        while let Some(step) = rest.pop() {
            let entry = match step {
                Step::Root(root) => {
                    directory = root;
                    continue;
                }
                Step::Parent => {
                    directory.pop();
                    continue;
                }
                Step::Entry(name) => directory.join(name),
            };
            self.entries.insert(entry.clone());
            if !fs::symlink_metadata(&entry).ok()?.is_symlink() {
                directory = entry;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            push_steps(&mut rest, &fs::read_link(&entry).ok()?);
        }
        Some(directory)
    }
}

/// Part of a path.
enum Step {
    Root(PathBuf),
    Parent,
    Entry(OsString),
}

/// Adds the steps of a path so that the first one is popped first.
fn push_steps(steps: &mut Vec<Step>, path: &Path) {
    let step = |component: Component<'_>| match component {
        Component::Prefix(_) | Component::RootDir => {
            Some(Step::Root(PathBuf::from(component.as_os_str())))
        }
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Parent),
        Component::Normal(name) => Some(Step::Entry(name.to_owned())),
    };
    steps.extend(path.components().rev().filter_map(step));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Returns the entries below `root`, relative to it, that the trace of `path` contains.
    fn entries_below(root: &Path, path: &Path) -> Vec<String> {
        let trace = PathTrace::of([&root.join(path)]);
        let below = trace.entries.iter().filter_map(|entry| entry.strip_prefix(root).ok());
        below.map(|entry| entry.display().to_string()).filter(|entry| !entry.is_empty()).collect()
    }

    fn root() -> (TempDir, PathBuf) {
        let directory = TempDir::new().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        (directory, root)
    }

    #[test]
    fn trace_contains_each_link_of_a_chain() {
        let (_directory, root) = root();
        fs::create_dir_all(root.join("releases/1")).unwrap();
        fs::write(root.join("releases/1/a.yaml"), "").unwrap();
        symlink("releases/1", root.join("current")).unwrap();
        symlink(root.join("current"), root.join("stable")).unwrap();
        symlink("../stable/a.yaml", root.join("releases/b.yaml")).unwrap();
        let found = entries_below(&root, Path::new("current/../b.yaml"));
        let expected =
            ["current", "releases", "releases/1", "releases/1/a.yaml", "releases/b.yaml", "stable"];
        assert_eq!(found, expected);
    }

    #[test]
    fn trace_ends_at_missing_entry() {
        let (_directory, root) = root();
        symlink("next/routes", root.join("current")).unwrap();
        assert_eq!(entries_below(&root, Path::new("current/a.yaml")), ["current", "next"]);
    }

    #[test]
    fn trace_of_link_loop_ends() {
        let (_directory, root) = root();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(entries_below(&root, Path::new("a/x.yaml")), ["a", "b"]);
    }
}
