//! `examples/translate.rs` as a process: output, errors and exit status.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sluicegate::model::Object;
use sluicegate::model::manifest::{Content, read, split};
use tempfile::TempDir;

const CLASS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: example.com/c}
";

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g}
spec: {gatewayClassName: c, listeners: [{name: l, protocol: TCP, port: 5432}]}
";

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: r}
spec:
  parentRefs: [{name: g}]
  rules: [{backendRefs: [{name: s, port: 5432}]}]
";

const NAMESPACE_JSON: &str = r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
"#;

/// Result of a run of the example.
struct Run {
    status: i32,
    out: String,
    err: String,
}

/// `cargo test` builds the examples beside the tests.
fn translate(arguments: &[&Path]) -> Run {
    let deps = env::current_exe().unwrap();
    let examples = deps.parent().unwrap().parent().unwrap().join("examples");
    let program = examples.join(format!("translate{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built: cargo build --examples", program.display());
    let output = Command::new(program).args(arguments).output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    directory
}

fn stream(documents: &[&str]) -> String {
    documents.join("---\n")
}

/// The objects that the output holds, by key; the plan is the last document, and no object.
fn objects(run: &Run) -> Vec<(String, Object)> {
    let mut entries = read(&run.out);
    let plan = entries.pop().unwrap();
    assert!(matches!(plan.content, Content::Unsupported(_)), "{plan:?}");
    let object = |entry| match entry {
        Content::Object(object) => (object.key().to_string(), object),
        content => panic!("{content:?}"),
    };
    entries.into_iter().map(|entry| object(entry.content)).collect()
}

fn keys(run: &Run) -> Vec<String> {
    objects(run).into_iter().map(|(key, _)| key).collect()
}

fn plan(run: &Run) -> serde_yaml::Value {
    serde_yaml::from_str(split(&run.out).last().unwrap().text).unwrap()
}

#[test]
fn output_has_objects_with_status_then_plan() {
    let directory = directory(&[("a.yaml", &stream(&[ROUTE, GATEWAY, NAMESPACE_JSON, CLASS]))]);
    let run = translate(&[&directory.path().join("a.yaml")]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let objects = objects(&run);
    let keys: Vec<_> = objects.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["GatewayClass c", "Gateway default/g", "TCPRoute default/r", "Namespace n"]);
    let has_status = |object: &Object| match object {
        Object::GatewayClass(class) => class.status.is_some(),
        Object::Gateway(gateway) => gateway.status.is_some(),
        Object::TcpRoute(route) => route.status.is_some(),
        _ => false,
    };
    let with_status: Vec<_> = objects.iter().map(|(_, object)| has_status(object)).collect();
    assert_eq!(with_status, [true, true, true, false]);
    assert_eq!(
        plan(&run)["listeners"]["default/g/l"]["routing"]["single"]["shares"][0]["target"]["reject"]
            ["reason"],
        "backendNotFound",
    );
}

#[test]
fn invalid_document_is_reported_and_others_are_translated() {
    let bad = ROUTE.replace("port: 5432", "port: 0");
    let directory = directory(&[("a.yaml", &stream(&[CLASS, &bad, GATEWAY]))]);
    let file = directory.path().join("a.yaml");
    let run = translate(&[&file]);
    assert_eq!(run.status, 1);
    assert_eq!(
        run.err,
        format!(
            "{}:11:42: TCPRoute default/r: spec.rules[0].backendRefs[0].port: found the number 0, expected a port from 1 to 65535\n",
            file.display()
        ),
    );
    assert_eq!(keys(&run), ["GatewayClass c", "Gateway default/g"]);
}

#[test]
fn duplicate_object_is_reported_with_both_locations() {
    let directory = directory(&[("a.yaml", CLASS), ("b.yaml", &stream(&[GATEWAY, CLASS]))]);
    let run = translate(&[directory.path()]);
    assert_eq!(run.status, 1);
    let place = |file: &str| directory.path().join(file).display().to_string();
    let (first, second) =
        (format!("{}:1", place("a.yaml")), format!("{}:5: GatewayClass c", place("b.yaml")));
    assert!(run.err.starts_with(&second) && run.err.contains(&first), "{}", run.err);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert_eq!(keys(&run), ["GatewayClass c", "Gateway default/g"]);
}

#[test]
fn directory_is_read_without_subdirectories_hidden_and_backup_files() {
    let other = |name: &str| CLASS.replace("name: c", &format!("name: {name}"));
    let directory = directory(&[
        ("b.yml", GATEWAY),
        ("a.yaml", CLASS),
        ("c.json", NAMESPACE_JSON),
        (".hidden.yaml", &other("hidden")),
        ("a.yaml~", &other("backup")),
        ("a.yaml.bak", &other("bak")),
        ("#a.yaml#", &other("autosave")),
        ("README.md", "not: a manifest: at all\n"),
        ("deeper/d.yaml", &other("deeper")),
    ]);
    let run = translate(&[directory.path()]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert_eq!(keys(&run), ["GatewayClass c", "Gateway default/g", "Namespace n"]);
}

#[test]
fn paths_are_read_as_one_set_of_objects() {
    let one = directory(&[("a.yaml", CLASS)]);
    let other = directory(&[("any-name", GATEWAY)]);
    let run = translate(&[one.path(), &other.path().join("any-name")]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert_eq!(keys(&run), ["GatewayClass c", "Gateway default/g"]);
}

#[test]
fn exit_status_is_0_despite_false_conditions() {
    let lost = ROUTE.replace("name: g", "name: g, sectionName: nowhere");
    let directory = directory(&[("a.yaml", &stream(&[CLASS, GATEWAY, &lost]))]);
    let run = translate(&[directory.path()]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("reason: NoMatchingParent"), "{}", run.out);
}

#[test]
fn controller_name_leaves_other_classes_unmanaged() {
    let directory = directory(&[("a.yaml", &stream(&[CLASS, GATEWAY]))]);
    for (name, served) in [("example.com/c", true), ("example.com/d", false)] {
        let run = translate(&["--controller-name".as_ref(), name.as_ref(), directory.path()]);
        assert_eq!(run.status, 0);
        assert_eq!(run.out.contains("\nstatus:\n"), served, "{}", run.out);
        assert_eq!(
            run.err.contains("note: Gateway default/g gets no status"),
            !served,
            "{}",
            run.err
        );
        assert_eq!(plan(&run)["listeners"].as_mapping().unwrap().is_empty(), !served);
    }
}

#[test]
fn unsupported_kinds_give_an_empty_plan() {
    let directory = directory(&[("a.yaml", "apiVersion: apps/v1\nkind: Deployment\n")]);
    let run = translate(&[directory.path()]);
    assert_eq!((run.status, run.err.as_str(), run.out.as_str()), (0, "", "---\nlisteners: {}\n"));
}

#[test]
fn objects_of_other_kinds_without_effect_are_noted() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec: {parentRefs: [{name: g}]}\n";
    let directory = directory(&[("a.yaml", &stream(&[CLASS, GATEWAY, route]))]);
    let run = translate(&[directory.path()]);
    let note = "note: gateway.networking.k8s.io HTTPRoute default/web has no effect on Gateway default/g: kind HTTPRoute of group gateway.networking.k8s.io is not served\n";
    assert_eq!((run.status, run.err.as_str()), (0, note));
}

#[test]
fn command_line_error_exits_with_2() {
    let missing = PathBuf::from("/no/such/path.yaml");
    for (arguments, message) in [
        (&[][..], "no PATH given"),
        (&["--nope".as_ref()], "invalid option '--nope'"),
        (&["-x".as_ref()], "invalid option '-x'"),
        (&["--controller-name".as_ref()], "missing argument"),
        (&["--controller-name".as_ref(), "x".as_ref(), "y".as_ref()], "is not a controller name"),
        (&[missing.as_path()], "/no/such/path.yaml"),
    ] {
        let run = translate(arguments);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.starts_with("translate: ") && run.err.contains(message), "{}", run.err);
    }
}

#[test]
fn help_lists_all_options() {
    for flag in ["--help", "-h"] {
        let run = translate(&[flag.as_ref()]);
        assert_eq!((run.status, run.err.as_str()), (0, ""));
        for word in ["Usage: translate", "PATH...", "--controller-name", "--help", "Exit status"] {
            assert!(run.out.contains(word), "{word} is not in\n{}", run.out);
        }
        assert!(run.out.lines().all(|line| line.len() <= 80), "{}", run.out);
    }
}
