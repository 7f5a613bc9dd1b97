//! Reports on files: what was read, what was not, and which errors are corrected.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Program, program};

fn namespace(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

const FAULTY: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: 3}\n";

fn run(path: &Path) -> Program {
    Program::run(program().args(["run", "--bind", "127.0.0.1", "--files"]).arg(path))
}

#[test]
fn log_contains_what_is_read_and_what_is_not() {
    let files = TempDir::new().unwrap();
    let path = |name: &str| files.path().join(name);
    fs::write(path("a.YAML"), namespace("a")).unwrap();
    fs::write(path("b.Yml"), namespace("b")).unwrap();
    fs::write(path("c.json"), r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"c"}}"#)
        .unwrap();
    fs::write(path("notes.txt"), "").unwrap();
    fs::write(path("old.yaml.bak"), "").unwrap();
    fs::write(path(".hidden.yaml"), "").unwrap();
    fs::create_dir(path("deeper")).unwrap();
    let mut program = run(files.path());
    let line = program.until("not read in");
    let text = line["message"].as_str().unwrap();
    for expected in [
        "subdirectories: deeper;",
        "files with other extensions: notes.txt, old.yaml.bak;",
        "hidden files: .hidden.yaml;",
        "manifests are the files *.yaml, *.yml and *.json",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in {text}");
    }
    let line = program.until("files read: 3, objects: 3");
    assert_eq!((&line["files"], &line["objects"]), (&3.into(), &3.into()));

    fs::write(path("d.yaml"), namespace("d")).unwrap();
    program.until("files read: 4, objects: 4 (1 added, 0 changed, 0 removed)");
    fs::create_dir(path("deepest")).unwrap();
    program.until("subdirectories: deeper, deepest;");
}

#[test]
fn log_contains_kinds_that_are_not_served() {
    let files = TempDir::new().unwrap();
    let file = files.path().join("a.yaml");
    let deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";
    fs::write(&file, [&namespace("a"), deployment].concat()).unwrap();
    let mut program = run(files.path());
    program.until("kinds are not served: 1 of apps/v1 Deployment");
    fs::write(&file, [&namespace("a"), deployment, deployment].concat()).unwrap();
    program.until("kinds are not served: 2 of apps/v1 Deployment");
}

#[test]
fn comments_and_backups_are_not_logged() {
    let files = TempDir::new().unwrap();
    let path = |name: &str| files.path().join(name);
    fs::write(path("a.yaml"), namespace("a")).unwrap();
    let mut program = run(files.path());
    program.until("ready");
    fs::write(path("a.yaml"), ["# a comment\n", &namespace("a")].concat()).unwrap();
    for name in ["a.yaml~", "#a.yaml#", "4913"] {
        fs::write(path(name), "").unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    fs::write(path("b.yaml"), namespace("b")).unwrap();
    program.until("files read: 2, objects: 2 (1 added, 0 changed, 0 removed)");
    for line in &program.log {
        let text = line["message"].as_str().unwrap();
        assert!(!text.contains("not read in") && !text.contains("(no object"), "{text}");
    }
}

#[test]
fn log_contains_corrected_errors() {
    let files = TempDir::new().unwrap();
    let file = files.path().join("a.yaml");
    let two = FAULTY.replace("{name: 3}", "{name: b, labels: 7}");
    fs::write(&file, [FAULTY, &two, &namespace("a")].concat()).unwrap();
    let mut program = run(files.path());
    let line = program.until("objects in files refused: 2");
    assert_eq!((&line["level"], &line["refused"]), (&"WARN".into(), &2.into()));
    assert!(line["message"].as_str().unwrap().contains("Breaking"), "{line}");

    // The other error is the same at another line.
    fs::write(&file, ["# moved\n", &two, &namespace("a")].concat()).unwrap();
    program.until("a.yaml: corrected: ");
    let line = program.until("files read: 1, objects: 1 (no object changed); errors: 1");
    assert_eq!((&line["errors"], &line["level"]), (&1.into(), &"INFO".into()));
    fs::write(&file, namespace("a")).unwrap();
    program.until("a.yaml: corrected, it contains no errors now");
    fs::write(&file, FAULTY).unwrap();
    program.until("a.yaml:4:");
    fs::remove_file(&file).unwrap();
    program.until("a.yaml: its errors are gone");
}

#[test]
fn log_contains_opened_and_closed_listeners() {
    let mut program = Program::start(&[], &[]);
    program.until("listening");
    let file = program.files.as_ref().unwrap().path().join("gateway.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("name: db, protocol", "name: other, protocol")).unwrap();
    let line = program.until("listening");
    assert_eq!(line["listener"], "default/public/other");
    let line = program.until("no longer listening");
    assert_eq!(line["listener"], "default/public/db");
    assert_eq!(line["address"], program.listener.to_string());
}

#[test]
fn errors_in_log_are_limited() {
    let files = TempDir::new().unwrap();
    fs::write(files.path().join("a.yaml"), FAULTY.repeat(2_000)).unwrap();
    let mut program = run(files.path());
    let mut errors = 0;
    loop {
        let line = program.until("");
        let text = line["message"].as_str().unwrap();
        errors += usize::from(text.contains("a.yaml:"));
        if text.contains("and 1900 more errors in ") {
            break;
        }
    }
    assert_eq!(errors, 100);
    program.until("ready");
}

#[test]
fn sighup_reads_all_files_again() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    program.signal(Signal::HUP);
    program.until("reading all files again");
    let line = program.until("files read again: 1, objects: 5 (no object changed); errors: 0");
    assert_eq!(
        (&line["files"], &line["objects"], &line["errors"]),
        (&1.into(), &5.into(), &0.into())
    );
    assert_eq!(line["level"], "INFO");
    assert!(program.is_ready());
}

#[test]
fn sighup_logs_changes_and_remaining_errors() {
    let files = TempDir::new().unwrap();
    let file = files.path().join("a.yaml");
    let faulty =
        |number| namespace("x").replace("{name: x}", &format!("{{name: x{number}, labels: 7}}"));
    fs::write(&file, namespace("a") + &(0..30).map(faulty).collect::<String>()).unwrap();
    let mut program = run(files.path());
    program.until("ready");
    program.signal(Signal::HUP);
    let result = "files read again: 1, objects: 1 (no object changed); errors: 30, described in";
    assert_eq!(program.until(result)["level"], "WARN");
    for number in 0..20 {
        let line = program.until("");
        assert_eq!(line["level"], "WARN", "{line}");
        let text = line["message"].as_str().unwrap();
        assert!(text.contains(&format!("a.yaml:{}:", 8 + 4 * number)), "{text}");
    }
    program.until("and 10 more problems remain");

    // The watch may notice the change before the signal, but the removal takes effect a second
    // later, and is part of the result.
    fs::write(&file, namespace("b")).unwrap();
    program.signal(Signal::HUP);
    let line = program.until("files read again: 1, objects: 1 (");
    let text = line["message"].as_str().unwrap();
    assert!(text.contains(" added, 0 changed, 1 removed); errors: 0"), "{text}");
}

#[test]
fn sighup_has_the_same_result_each_time_a_path_is_gone() {
    let mut program = Program::start(&["--poll", "0"], &[]);
    program.until("ready");
    let files = program.files.as_ref().unwrap().path().to_owned();
    let gone = files.with_extension("gone");
    fs::rename(&files, &gone).unwrap();
    for _ in 0..2 {
        program.signal(Signal::HUP);
        program.until("no files were read; 5 objects from files stay in use");
        let line = program.until("files read again: ");
        assert_eq!(
            (&line["level"], line["message"].as_str().unwrap()),
            (
                &"WARN".into(),
                "files read again: 0, objects: 5 (no object changed); errors: 1, described in \
                 other warnings"
            )
        );
        program.until("No such file or directory");
    }
    fs::rename(&gone, &files).unwrap();
}

/// The program does not wait for a file that is being read.
#[test]
fn shutdown_does_not_wait_for_a_large_file() {
    let files = TempDir::new().unwrap();
    fs::write(files.path().join("good.yaml"), namespace("a")).unwrap();
    let mut program = run(files.path());
    program.until("ready");
    let new = files.path().join("large.new");
    fs::write(&new, FAULTY.repeat(800_000)).unwrap();
    fs::rename(&new, files.path().join("large.yaml")).unwrap();
    program.until("still reading");
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
}
