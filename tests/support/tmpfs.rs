//! A file system of 2 MiB in a mount namespace.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Environment variable that is set in the namespace: the folder in which the tmpfs is mounted.
const FOLDER: &str = "SLUICEGATE_TEST_TMPFS";

/// Returns the folder of a tmpfs of 2 MiB if this process runs in a mount namespace of its own.
/// Otherwise runs the test in such a namespace, asserts that it passes, and returns `None`. If the
/// kernel does not allow the namespace, the test is skipped.
pub(crate) fn tmpfs(test: &str) -> Option<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$SLUICEGATE_TEST_TMPFS\"";
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.env(FOLDER, folder.path());
        command
    };
    if !unshare(mount).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this host allows no mount namespace with `{mount}`");
        return None;
    }
    let output = unshare(&format!("{mount} && exec \"$0\" --exact {test} --nocapture"))
        .arg(env::current_exe().unwrap())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
    None
}

/// Makes the file system read-only or writable. The store may have its file open for a moment.
pub(crate) fn remount(folder: &Path, options: &str) {
    for _ in 0..1000 {
        let output = Command::new("mount").args(["-o", options]).arg(folder).output().unwrap();
        if output.status.success() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("mount -o {options} fails");
}

/// Writes until the file system is full.
pub(crate) fn fill(path: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    for length in [65_536, 4096, 1] {
        while file.write_all(&vec![0; length]).is_ok() {}
    }
}
