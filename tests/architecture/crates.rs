//! Follows the `mod` declarations of a crate and resolves paths to the files that define their
//! items, through re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::imports::{self, Declarations, Use};
use crate::sources::Sources;
use crate::tokens;

/// A crate: its modules and the files they are in.
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
    /// Files that a `mod` declaration refers to and that do not exist.
    pub(crate) missing: Vec<String>,
}

/// A module, inline or in a file.
pub(crate) struct Module {
    /// From the root: `["crate", "model", "gateway"]`.
    pub(crate) path: Vec<String>,
    pub(crate) file: PathBuf,
    pub(crate) is_test: bool,
    parent: usize,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    uses: Vec<Import>,
    paths: Vec<Import>,
}

/// A path in a module, and the line it is in.
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_public: bool,
    /// The name that a `use` brings into scope; `None` for globs and inline paths.
    name: Option<String>,
    is_glob: bool,
}

/// Target of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Module(usize),
    /// An item of this module.
    Item(usize),
}

impl Crate {
    /// Reads the crate whose root is the file `root`.
    pub(crate) fn read(sources: &Sources, root: &str) -> Self {
        let mut read = Self { modules: Vec::new(), missing: Vec::new() };
        let path = vec!["crate".to_owned()];
        read.file(sources, Path::new(root), Place { path, parent: 0, is_test: false });
        read
    }

    fn file(&mut self, sources: &Sources, file: &Path, place: Place) -> usize {
        let found = imports::read(&tokens::split(&sources.0[file]).0);
        let module = self.add(file, place);
        self.fill(module, &found, &[]);
        let is_root = self.modules[module].path.len() == 1;
        let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod") => file.with_file_name(""),
            _ if is_root => file.with_file_name(""),
            _ => file.with_extension(""),
        };
        self.submodules(sources, &found, module, &[], &folder);
        module
    }

    fn add(&mut self, file: &Path, place: Place) -> usize {
        let Place { path, parent, is_test } = place;
        let file = file.to_owned();
        let (children, items) = (BTreeMap::new(), BTreeSet::new());
        let (uses, paths) = (Vec::new(), Vec::new());
        self.modules.push(Module { path, file, is_test, parent, children, items, uses, paths });
        self.modules.len() - 1
    }

    /// Takes what `found` has for the inline module `scope`.
    fn fill(&mut self, module: usize, found: &Declarations, scope: &[String]) {
        let into = &mut self.modules[module];
        let items = found.items.iter().filter(|(of, _)| of == scope);
        into.items.extend(items.map(|(_, name)| name.clone()));
        let uses = found.uses.iter().filter(|one| one.scope == scope && !one.is_test);
        into.uses.extend(uses.map(Import::of_use));
        let paths = found.paths.iter().filter(|one| one.scope == scope && !one.is_test);
        into.paths.extend(paths.map(|one| Import {
            path: one.path.clone(),
            line: one.line,
            is_public: false,
            name: None,
            is_glob: false,
        }));
    }

    fn submodules(
        &mut self,
        sources: &Sources,
        found: &Declarations,
        module: usize,
        scope: &[String],
        folder: &Path,
    ) {
        for declared in found.modules.iter().filter(|one| one.scope == scope) {
            let mut path = self.modules[module].path.clone();
            path.push(declared.name.clone());
            let is_test = declared.is_test || self.modules[module].is_test;
            let place = Place { path, parent: module, is_test };
            let name = &declared.name;
            if declared.is_inline {
                let file = self.modules[module].file.clone();
                let child = self.add(&file, place);
                self.modules[module].children.insert(name.clone(), child);
                let scope = [scope, std::slice::from_ref(name)].concat();
                self.fill(child, found, &scope);
                self.submodules(sources, found, child, &scope, &folder.join(name));
                continue;
            }
            let beside = self.modules[module].file.with_file_name("");
            let by_name = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
            let by_path = declared.files.iter().map(|file| beside.join(file));
            let files: Vec<_> = by_name
                .into_iter()
                .chain(by_path)
                .filter(|file| sources.0.contains_key(file))
                .collect();
            if files.is_empty() {
                self.missing.push(format!("{}: mod {name}", self.modules[module].file.display()));
            }
            // Several: one for each operating system. The first gives the module its items.
            for file in files.iter().rev() {
                let child = self.file(sources, file, place.clone());
                self.modules[module].children.insert(name.clone(), child);
            }
        }
    }

    /// Returns the `use` declarations and inline paths of a module, without those of tests, and
    /// without paths such as `Type::new` whose first name comes from a `use` that is returned.
    pub(crate) fn imports(&self, module: usize) -> impl Iterator<Item = &Import> {
        let of = &self.modules[module];
        let paths = of.paths.iter().filter(move |one| {
            let first = self.resolve(module, &one.path[..1], &mut BTreeSet::new());
            matches!(first, Some(Target::Module(_)))
        });
        of.uses.iter().chain(paths).filter(|_| !of.is_test)
    }

    /// Returns `true` if the module only groups others: its file declares modules that have files.
    pub(crate) fn is_namespace(&self, module: usize) -> bool {
        let of = &self.modules[module];
        of.children.values().any(|child| {
            let child = &self.modules[*child];
            child.file != of.file && !child.is_test
        })
    }

    /// Returns every item and module that an import leads to. Empty for other crates.
    pub(crate) fn targets(&self, module: usize, import: &Import) -> Vec<Target> {
        let target = self.resolve(module, &import.path, &mut BTreeSet::new());
        match target {
            Some(Target::Module(target)) if import.is_glob => self.contents(target),
            target => target.into_iter().collect(),
        }
    }

    fn contents(&self, module: usize) -> Vec<Target> {
        let of = &self.modules[module];
        let names = of.uses.iter().filter(|one| one.is_public);
        let exported = names.flat_map(|one| self.targets(module, one));
        let own = if of.items.is_empty() { None } else { Some(Target::Item(module)) };
        exported.chain(own).collect()
    }

    /// Resolves a path as it is written in `module`. `None`: it is not of this crate.
    fn resolve(
        &self,
        module: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent),
            name => self.find(module, name, seen)?,
        };
        for name in rest {
            let Target::Module(within) = target else { break };
            if name == "super" {
                target = Target::Module(self.modules[within].parent);
                continue;
            }
            // A name that was not found is of a macro that this module expands.
            target = self.find(within, name, seen).unwrap_or(Target::Item(within));
        }
        Some(target)
    }

    /// Finds a name in the scope of a module.
    fn find(
        &self,
        module: usize,
        name: &str,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        if !seen.insert((module, name.to_owned())) {
            return None;
        }
        let of = &self.modules[module];
        if let Some(child) = of.children.get(name) {
            return Some(Target::Module(*child));
        }
        if of.items.contains(name) {
            return Some(Target::Item(module));
        }
        let named = of.uses.iter().filter(|one| one.name.as_deref() == Some(name));
        let found = named.filter_map(|one| self.resolve(module, &one.path, seen)).next();
        found.or_else(|| {
            of.uses.iter().filter(|one| one.is_glob).find_map(|one| {
                let target = self.resolve(module, &one.path, seen)?;
                let Target::Module(within) = target else { return None };
                self.find(within, name, seen)
            })
        })
    }
}

#[derive(Clone)]
struct Place {
    path: Vec<String>,
    parent: usize,
    is_test: bool,
}

impl Import {
    fn of_use(of: &Use) -> Self {
        Self {
            path: of.path.clone(),
            line: of.line,
            is_public: of.is_public,
            name: of.name.clone(),
            is_glob: of.name.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(files: &[(&str, &str)], from: &str, path: &str) -> Option<String> {
        let read = Crate::read(&Sources::made_up(files), "src/lib.rs");
        let module = read.modules.iter().position(|one| one.file == Path::new(from)).unwrap();
        let path: Vec<_> = path.split("::").map(str::to_owned).collect();
        let target = read.resolve(module, &path, &mut BTreeSet::new())?;
        let (Target::Module(of) | Target::Item(of)) = target;
        Some(read.modules[of].file.display().to_string())
    }

    #[test]
    fn paths_resolve_through_chained_and_glob_re_exports() {
        let files = [
            ("src/lib.rs", "mod a; mod user;"),
            ("src/a/mod.rs", "mod b; mod d; pub use self::b::*; pub use self::d::Kept as Renamed;"),
            ("src/a/b/mod.rs", "mod c; pub(crate) use self::c::Thing;"),
            ("src/a/b/c.rs", "pub struct Thing;"),
            ("src/a/d.rs", "pub struct Kept;"),
            ("src/user.rs", "use crate::a;"),
        ];
        let find = |path| resolved(&files, "src/user.rs", path);
        assert_eq!(find("crate::a::Thing").as_deref(), Some("src/a/b/c.rs"));
        assert_eq!(find("super::a::Renamed").as_deref(), Some("src/a/d.rs"));
        assert_eq!(find("a::Thing::new").as_deref(), Some("src/a/b/c.rs"));
        assert_eq!(find("std::fmt::Debug"), None);
    }

    #[test]
    fn names_that_a_macro_makes_belong_to_the_file_of_the_module() {
        let files =
            [("src/lib.rs", "mod a; pub use self::a::Made;"), ("src/a.rs", "make! { Made }")];
        assert_eq!(resolved(&files, "src/lib.rs", "crate::Made").as_deref(), Some("src/a.rs"));
    }
}
