//! Resources that a process and its descendants use: CPU time, memory, descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use rustix::fs::{Mode, OFlags};
use rustix::pipe::fcntl_getpipe_size;
use rustix::process::Pid;

/// Nanoseconds on a processor, by thread.
pub(crate) type CpuTimes = BTreeMap<PathBuf, u64>;

/// A process with its descendants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    pub(crate) root: Pid,
}

/// The memory and the descriptors of a tree.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holdings {
    /// Bytes of its own, and its share of those it has in common with others.
    pub(crate) memory: u64,
    /// Bytes that its pipes can hold.
    pub(crate) pipes: u64,
    pub(crate) descriptors: u64,
}

impl Tree {
    /// The processor time of each of its threads.
    pub(crate) fn cpu_times(self) -> anyhow::Result<CpuTimes> {
        let mut times = CpuTimes::new();
        for process in self.processes()? {
            for thread in entries(&process.join("task"))? {
                // A thread that has gone since the listing has nothing more to tell.
                let Ok(line) = fs::read_to_string(thread.join("schedstat")) else { continue };
                let time = line.split(' ').next().and_then(|time| time.parse().ok());
                let time = time.with_context(|| format!("unreadable schedstat: {line}"))?;
                times.insert(thread, time);
            }
        }
        Ok(times)
    }

    /// One of its threads is at work, or waits for a processor to work on.
    pub(crate) fn is_runnable(self) -> io::Result<bool> {
        for process in self.processes()? {
            for thread in entries(&process.join("task"))? {
                let line = fs::read_to_string(thread.join("stat")).unwrap_or_default();
                // The state is after the name, which may hold anything.
                if line.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" R")) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    pub(crate) fn holdings(self) -> anyhow::Result<Holdings> {
        let mut holdings = Holdings::default();
        let mut pipes = BTreeSet::new();
        for process in self.processes()? {
            let rollup = fs::read_to_string(process.join("smaps_rollup"))?;
            holdings.memory += kib_field(&rollup, "Pss:").context("no Pss")? * 1024;
            for descriptor in entries(&process.join("fd"))? {
                holdings.descriptors += 1;
                let Ok(target) = fs::read_link(&descriptor) else { continue };
                // Both ends of a pipe, in every process, are one pipe.
                if target.to_string_lossy().starts_with("pipe:") && pipes.insert(target) {
                    holdings.pipes += pipe_capacity(&descriptor)?;
                }
            }
        }
        Ok(holdings)
    }

    fn processes(self) -> io::Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::from(format!("/proc/{}", self.root.as_raw_nonzero()))];
        let mut next = 0;
        while let Some(process) = found.get(next) {
            for thread in entries(&process.join("task"))? {
                let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
                found.extend(children.split_whitespace().map(|pid| Path::new("/proc").join(pid)));
            }
            next += 1;
        }
        Ok(found)
    }
}

/// That the kernel tells what is asked of it: one that doesn't would make every proxy cost nothing.
pub(crate) fn can_be_read() -> anyhow::Result<()> {
    for file in ["/proc/thread-self/schedstat", "/proc/thread-self/children"] {
        fs::read_to_string(file).with_context(|| format!("cannot measure without {file}"))?;
    }
    Ok(())
}

/// Time on a processor between two readings. A thread that ended in between counts for nothing.
pub(crate) fn cpu_between(before: &CpuTimes, after: &CpuTimes) -> Duration {
    let spent =
        after.iter().map(|(thread, time)| time.saturating_sub(*before.get(thread).unwrap_or(&0)));
    Duration::from_nanos(spent.sum())
}

/// Bytes of kernel memory in the whole machine that connections grow: slabs, without inodes and the
/// like that files grow too, and what sockets buffer.
pub(crate) fn kernel_memory() -> anyhow::Result<u64> {
    let slabs = kib_field(&fs::read_to_string("/proc/meminfo")?, "SUnreclaim:");
    let sockets = fs::read_to_string("/proc/net/sockstat")?;
    let pages = sockets
        .lines()
        .find_map(|line| line.strip_prefix("TCP:"))
        .and_then(|line| line.rsplit(' ').next())
        .and_then(|pages| pages.parse::<u64>().ok());
    let page = u64::try_from(rustix::param::page_size())?;
    Ok(slabs.context("no SUnreclaim in meminfo")? * 1024 + pages.context("no TCP mem")? * page)
}

fn kib_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn pipe_capacity(descriptor: &Path) -> anyhow::Result<u64> {
    let pipe: OwnedFd =
        rustix::fs::open(descriptor, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    Ok(u64::try_from(fcntl_getpipe_size(pipe)?)?)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_tolerates_threads_that_start_or_end() {
        let times = |times: &[(&str, u64)]| -> CpuTimes {
            times.iter().map(|(thread, time)| (PathBuf::from(thread), *time)).collect()
        };
        let before = times(&[("stays", 5), ("goes", 100)]);
        let after = times(&[("stays", 7), ("came", 3)]);
        assert_eq!(cpu_between(&before, &after), Duration::from_nanos(5));
    }

    #[test]
    fn usage_of_this_process_is_not_zero() {
        let tree = Tree { root: rustix::process::getpid() };
        assert!(!tree.cpu_times().unwrap().is_empty());
        assert!(tree.holdings().unwrap().memory > 0);
        assert!(kernel_memory().unwrap() > 0);
    }
}
