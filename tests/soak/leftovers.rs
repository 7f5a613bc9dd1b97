//! Resources of the process: descriptors, worker threads and memory, compared before and after.

use std::collections::BTreeMap;
use std::fs;

/// Open descriptors by kind: `socket`, `pipe`, `anon_inode:[eventpoll]`, or a file by its name.
pub fn descriptors() -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        // The one of this very directory is gone again.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        let target = target.to_string_lossy();
        if !target.starts_with("/proc/") {
            let numbered = ["socket", "pipe"].into_iter().find(|kind| target.starts_with(kind));
            *kinds.entry(numbered.unwrap_or(&target).to_owned()).or_default() += 1;
        }
    }
    kinds
}

/// The proxies' threads.
pub fn workers() -> Vec<String> {
    let names = fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        // Gone in the meantime, perhaps.
        fs::read_to_string(task.unwrap().path().join("comm")).ok()
    });
    names.filter(|name| name.starts_with("sluicegate-")).collect()
}

/// Bytes of memory in use.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
