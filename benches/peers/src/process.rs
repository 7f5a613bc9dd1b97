//! Child processes that end with this one.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process, kill_process_group,
    set_parent_process_death_signal, setrlimit,
};

/// The role in which this program becomes another one that ends when its parent does.
pub(crate) const BOUND: &str = "bound";

/// Maximum time for a program to end after SIGTERM.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(3);

/// A program with a process group of its own, which is ended on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it with what it prints going to a file.
    pub(crate) fn start(command: &Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::create(log)?;
        let child = Command::new(env::current_exe()?)
            .arg(BOUND)
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child })
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// How it ended, where it did.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = self.pid();
        // Errors here say that there is nobody left to end.
        let _ = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + TERMINATE_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Becomes the program that is named by the arguments; returns only where that fails.
///
/// The death signal is kept across exec, so any program can be bound to its parent's life this way.
pub(crate) fn become_bound(arguments: &[OsString]) -> anyhow::Result<()> {
    let (program, arguments) = arguments.split_first().context("no program is named")?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}

/// As many open files as the system lets this process and its children have.
pub(crate) fn raise_file_limit() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}
