//! No two files of `src` import each other, directly or through other files.
//!
//! An import counts for the file that defines the item: a re-export in a `mod.rs` is followed. Test
//! code is left out. An item that a `mod.rs` defines itself counts for that `mod.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::crates::{Crate, Target};
use crate::expect_none;
use crate::layout::roots;
use crate::sources::Sources;

/// Importing file, imported file, and the imports as `line: path`.
type Graph = BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<String>>>;

fn graph(read: &Crate) -> Graph {
    let mut graph = Graph::new();
    for (index, module) in read.modules.iter().enumerate() {
        for import in read.imports(index) {
            // A re-export makes a name known; it is no use of it.
            if import.is_public && read.is_namespace(index) {
                continue;
            }
            for target in read.targets(index, import) {
                let (Target::Module(of) | Target::Item(of)) = target;
                let is_namespace = target == Target::Module(of) && read.is_namespace(of);
                let file = &read.modules[of].file;
                if *file == module.file || is_namespace {
                    continue;
                }
                let imports = graph.entry(module.file.clone()).or_default();
                let imports = imports.entry(file.clone()).or_default();
                let import = format!("{}: {}", import.line, import.path.join("::"));
                if !imports.contains(&import) {
                    imports.push(import);
                }
            }
        }
    }
    graph
}

/// Returns a description of each group of files that import each other.
fn cycles(graph: &Graph) -> Vec<String> {
    let reached: BTreeMap<_, _> = graph.keys().map(|file| (file, reachable(graph, file))).collect();
    let mut described = Vec::new();
    let mut seen = BTreeSet::new();
    for file in graph.keys() {
        let is_mutual = |other: &&&Path| {
            let back = reached.get(&other.to_path_buf());
            back.is_some_and(|back| back.contains(file.as_path()))
        };
        let group: BTreeSet<_> = reached[file].iter().filter(is_mutual).copied().collect();
        if group.is_empty() || !seen.insert(group.clone()) {
            continue;
        }
        let mut text = format!("cycle of {} files:", group.len());
        for from in &group {
            for (to, imports) in graph[*from].iter().filter(|(to, _)| group.contains(to.as_path()))
            {
                for import in imports {
                    text += &format!("\n    {}:{import} -> {}", from.display(), to.display());
                }
            }
        }
        text += "\n  Move what both need to a file of its own, or turn one import around.";
        described.push(text);
    }
    described
}

fn reachable<'a>(graph: &'a Graph, from: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flatten() {
            if reached.insert(next.0.as_path()) {
                open.push(next.0);
            }
        }
    }
    reached
}

#[test]
fn src_has_no_import_cycles() {
    let sources = Sources::read("src");
    let found = roots(&sources);
    let found = found.iter().flat_map(|root| cycles(&graph(&Crate::read(&sources, root))));
    expect_none("src has import cycles:", &found.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        cycles(&graph(&Crate::read(&Sources::made_up(files), "src/lib.rs")))
    }

    const ROOT: (&str, &str) = ("src/lib.rs", "mod a;");

    #[test]
    fn cycle_through_re_export_is_found() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod one; mod two; pub use self::one::*; pub use self::two::Two;"),
            ("src/a/one.rs", "use crate::a::Two;\npub struct One;"),
            ("src/a/two.rs", "\nuse crate::a::One;\npub struct Two;"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("src/a/one.rs:1: crate::a::Two -> src/a/two.rs"), "{}", found[0]);
        assert!(found[0].contains("src/a/two.rs:2: crate::a::One -> src/a/one.rs"), "{}", found[0]);
    }

    #[test]
    fn cycle_through_inline_path_is_found() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod one; mod two;"),
            ("src/a/one.rs", "use super::two;\npub fn one() { two::two() }"),
            ("src/a/two.rs", "pub fn two() { super::one::one() }"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn cycle_with_item_of_mod_rs_is_found() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod one; pub struct A; pub fn run() { self::one::one() }"),
            ("src/a/one.rs", "use super::A;\npub fn one() {}"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn two_cycles_are_two() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod b; mod c; mod d; mod e; mod f;"),
            ("src/a/b.rs", "use super::c::C; pub struct B;"),
            ("src/a/c.rs", "use super::b::B; pub struct C;"),
            ("src/a/d.rs", "use super::e::E; pub struct D;"),
            ("src/a/e.rs", "use super::f::F; pub struct E;"),
            ("src/a/f.rs", "use super::d::D; use super::b::B; pub struct F;"),
        ]);
        assert_eq!(found.len(), 2);
        assert!(found[1].starts_with("cycle of 3 files"), "{}", found[1]);
    }

    #[test]
    fn test_only_import_is_not_counted() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod one; mod two;"),
            ("src/a/one.rs", "use super::two::Two; pub struct One;"),
            (
                "src/a/two.rs",
                "pub struct Two; #[cfg(test)] use super::one::One; #[cfg(test)] mod tests;",
            ),
            ("src/a/two/tests.rs", "use crate::a::one::One;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn import_through_mod_rs_is_no_import_of_mod_rs() {
        let found = found(&[
            ROOT,
            ("src/a/mod.rs", "mod one; mod two; pub use self::one::One; pub use self::two::Two;"),
            ("src/a/one.rs", "pub struct One;"),
            ("src/a/two.rs", "use crate::a::One; pub struct Two(One);"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
