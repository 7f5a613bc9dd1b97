//! The program in namespaces of its own, in which the kernel sends no or few file events.
//!
//! A user namespace has limits of its own, and may mount file systems that only it sees.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Program, program};
use crate::support::eventually;

/// Returns a directory with a manifest of one Namespace.
fn manifests() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("x.yaml"), namespace("one")).unwrap();
    directory
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

/// Returns a command that runs `setup` in namespaces of its own and then the program, or `None` if
/// the kernel does not allow it here.
fn in_namespaces(setup: &str) -> Option<Command> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command
    };
    let is_allowed = unshare().arg(setup).output().is_ok_and(|output| output.status.success());
    if !is_allowed {
        eprintln!("skipped: this kernel allows no user namespace with `{setup}`");
        return None;
    }
    let program = program();
    let mut command = unshare();
    command.arg(format!("{setup}\nexec \"$0\" run \"$@\"")).arg(program.get_program());
    for (name, value) in program.get_envs().filter(|(_, value)| value.is_none()) {
        assert!(value.is_none());
        command.env_remove(name);
    }
    Some(command)
}

fn run(mut command: Command, path: &Path, poll: &str) -> Program {
    Program::run(command.args(["--bind", "127.0.0.1", "--poll", poll, "--files"]).arg(path))
}

#[test]
fn files_are_polled_without_inotify_instance() {
    let Some(command) = in_namespaces("echo 0 > /proc/sys/user/max_inotify_instances") else {
        return;
    };
    let files = manifests();
    let mut program = run(command, files.path(), "0.2");
    let warning = program.until("fs.inotify.max_user_instances");
    assert_eq!(warning["level"], "WARN");
    let text = warning["message"].as_str().unwrap();
    assert!(text.contains("found by polling every 0.2 s"), "{text}");
    program.until("ready");
    fs::write(files.path().join("x.yaml"), namespace("another")).unwrap();
    program.until("1 added, 0 changed, 0 removed");
    program.until("0 added, 0 changed, 1 removed");
}

#[test]
fn files_are_polled_beyond_limit_of_watches() {
    let Some(command) = in_namespaces("echo 2 > /proc/sys/user/max_inotify_watches") else {
        return;
    };
    let files = manifests();
    let mut program = run(command, files.path(), "0.2");
    let warning = program.until("fs.inotify.max_user_watches");
    assert_eq!(warning["level"], "WARN");
    program.until("ready");
    fs::write(files.path().join("x.yaml"), namespace("another")).unwrap();
    program.until("1 added, 0 changed, 0 removed");
    program.until("0 added, 0 changed, 1 removed");
}

#[test]
fn sighup_reads_files_without_events_and_polling() {
    let Some(command) = in_namespaces("echo 0 > /proc/sys/user/max_inotify_instances") else {
        return;
    };
    let files = manifests();
    let mut program = run(command, files.path(), "0");
    let warning = program.until("fs.inotify.max_user_instances");
    let text = warning["message"].as_str().unwrap();
    assert!(text.contains("send SIGHUP"), "{text}");
    program.until("ready");
    fs::write(files.path().join("x.yaml"), namespace("another")).unwrap();
    program.signal(rustix::process::Signal::HUP);
    program.until("reading all files again");
    program.until("1 added, 0 changed, 0 removed");
    program.until("(1 added, 0 changed, 1 removed); errors: 0");
}

#[test]
fn lower_layer_of_overlay_is_polled() {
    let directory = manifests();
    let root = directory.path().display().to_string();
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    let lower = directory.path().join("lower/x.yaml");
    fs::write(&lower, namespace("one")).unwrap();
    let mount = format!(
        "mount -t overlay overlay -o lowerdir={root}/lower,upperdir={root}/upper,workdir={root}/work {root}/merged"
    );
    let Some(command) = in_namespaces(&mount) else { return };
    let mut program = run(command, &directory.path().join("merged"), "0.2");
    program.until("files read: 1, objects: 1");
    program.until("ready");
    fs::write(&lower, namespace("another")).unwrap();
    program.until("1 added, 0 changed, 0 removed");
    program.until("0 added, 0 changed, 1 removed");
}

#[test]
fn mount_over_directory_is_followed() {
    let directory = manifests();
    let (routes, other) = (directory.path().join("routes"), directory.path().join("other"));
    for (path, name) in [(&routes, "one"), (&other, "another")] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("x.yaml"), namespace(name)).unwrap();
    }
    let trigger = directory.path().join("trigger");
    let setup = format!(
        "(while ! [ -e {} ]; do sleep 0.05; done; mount --bind {} {}) > /dev/null 2>&1 &",
        trigger.display(),
        other.display(),
        routes.display()
    );
    // The check of `in_namespaces` would wait for the trigger.
    let Some(_) = in_namespaces("mount -t tmpfs tmpfs /mnt") else { return };
    fs::write(&trigger, "").unwrap();
    let Some(command) = in_namespaces(&setup) else { return };
    fs::remove_file(&trigger).unwrap();
    let mut program = run(command, &routes, "0.2");
    program.until("ready");
    fs::write(&trigger, "").unwrap();
    program.until("1 added, 0 changed, 0 removed");
    program.until("0 added, 0 changed, 1 removed");
    eventually("the program is ready", || program.is_ready());
}
