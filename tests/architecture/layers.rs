//! Each folder of `src` imports only the layers that the table allows.

use crate::crates::{Crate, Target};
use crate::expect_none;
use crate::layout::roots;
use crate::sources::Sources;

/// Each layer, and the layers below it that it may import. ARCHITECTURE.md explains them.
const LAYERS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("plan", &["model"]),
    ("translate", &["model", "plan"]),
    ("forward", &["plan", "model"]),
    ("schema", &["model"]),
    ("store", &["model"]),
    ("admission", &["model", "schema", "store"]),
    ("api", &["model", "schema", "store", "admission"]),
    ("sources", &["model", "schema", "store"]),
    ("server", &["model", "translate", "plan", "forward", "sources"]),
];

/// Items that `forward` may import from `model`: names of objects, never an object.
const NAMES: [&str; 6] =
    ["NamespaceName", "NamespacedName", "ObjectName", "PortNumber", "SectionName", "Weight"];

fn violations(read: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (index, module) in read.modules.iter().enumerate() {
        let Some(layer) = module.path.get(1) else { continue };
        let allowed = LAYERS.iter().find(|(name, _)| name == layer).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            found.push(format!(
                "{}: `{layer}` is not a layer; move the file into one, or add the layer to the \
                 table in tests/architecture/layers.rs",
                module.file.display()
            ));
            continue;
        };
        for import in read.imports(index) {
            for target in read.targets(index, import) {
                let (Target::Module(of) | Target::Item(of)) = target;
                let imported = read.modules[of].path.get(1).map_or("the crate's root", |name| name);
                let place = format!("{}:{}", module.file.display(), import.line);
                let path = import.path.join("::");
                if imported != layer && !allowed.contains(&imported) {
                    let allowed =
                        if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
                    found.push(format!(
                        "{place}: {path} is of {imported}; {layer} may import {allowed}. Move the \
                         item down, or pass it in from server"
                    ));
                }
                let name = import.path.iter().rev().find(|name| *name != "self");
                let is_name = name.is_some_and(|name| NAMES.contains(&name.as_str()));
                let is_name =
                    is_name || import.path.iter().any(|name| NAMES.contains(&name.as_str()));
                if layer == "forward" && imported == "model" && !is_name {
                    found.push(format!(
                        "{place}: {path} is an object of Gateway API; forward may import only {} \
                         of model. Put what forward needs into the plan",
                        NAMES.join(", ")
                    ));
                }
            }
        }
    }
    found
}

#[test]
fn src_imports_only_lower_layers() {
    let sources = Sources::read("src");
    let read = Crate::read(&sources, "src/lib.rs");
    expect_none("src has imports against the layers:", &violations(&read));
}

/// The program is built on the public API: it is a crate of its own, and shares no file.
#[test]
fn bin_has_no_file_of_the_library() {
    let sources = Sources::read("src");
    let programs = roots(&sources).into_iter().filter(|root| root != "src/lib.rs");
    let mut found = Vec::new();
    for root in programs {
        let read = Crate::read(&sources, &root);
        let shared = read.modules.iter().filter(|module| !module.file.starts_with("src/bin"));
        found.extend(shared.map(|module| {
            format!("{root}: has {} as a module; import it as sluicegate::…", module.file.display())
        }));
    }
    expect_none("src/bin contains files of the library:", &found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let root = ("src/lib.rs", "mod model; mod plan; mod translate; mod forward; mod sources;");
        let empty = ["model", "plan", "translate", "forward", "sources"];
        let empty = empty.map(|name| (format!("src/{name}.rs"), String::new()));
        let mut sources = Sources::made_up(&[root]);
        sources.0.extend(empty.map(|(path, text)| (path.into(), text)));
        sources.0.extend(Sources::made_up(files).0);
        violations(&Crate::read(&sources, "src/lib.rs"))
    }

    #[test]
    fn upward_import_is_found_with_its_line() {
        let found = found(&[
            ("src/sources.rs", "\nuse crate::{model::Gateway, translate::Status};"),
            ("src/model.rs", "pub struct Gateway;"),
            ("src/translate.rs", "pub struct Status;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/sources.rs:2: crate::translate::Status"), "{}", found[0]);
    }

    #[test]
    fn upward_import_through_re_export_is_found() {
        let found = found(&[
            ("src/sources.rs", "use crate::model::Status;"),
            ("src/model.rs", "pub use crate::translate::Status;"),
            ("src/translate.rs", "pub struct Status;"),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn forward_imports_names_and_no_objects() {
        let model = ("src/model.rs", "pub struct Gateway; pub struct ObjectName;");
        let forward = ("src/forward.rs", "use crate::model::{Gateway, ObjectName};");
        let objects = found(&[model, forward]);
        assert_eq!(objects.len(), 1, "{objects:?}");
        let forward = ("src/forward.rs", "use crate::model; fn f(_: model::Gateway) {}");
        assert_eq!(found(&[model, forward]).len(), 2);
    }

    #[test]
    fn test_only_import_is_not_counted() {
        let forward = ("src/forward.rs", "#[cfg(test)] mod tests { use crate::model::Gateway; }");
        assert!(found(&[("src/model.rs", "pub struct Gateway;"), forward]).is_empty());
    }
}
