//! A line on standard error for each connection, when it ends.
//!
//! Lines are gathered for a moment and written together: at thousands of connections a second, a
//! system call for each would cost as much as all else that is done for the log.

use std::io::{self, IsTerminal as _, Write as _};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(100);

/// How many bytes may wait for a reader that is slow; further lines are lost, and counted.
const LIMIT: usize = 4 * 1024 * 1024;

/// How long the end of the program waits for the last lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lines on their way to standard error.
#[derive(Default)]
pub(crate) struct Log {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    lost: usize,
    is_writing: bool,
}

impl Log {
    /// Starts to log; if `quiet`, only what is amiss.
    ///
    /// # Errors
    /// Where there is no thread to be had. Writing has one of its own, so that nothing else waits for
    /// a reader that stands still.
    pub(crate) fn start(quiet: bool) -> io::Result<Arc<Self>> {
        let log = Arc::new(Self::default());
        let writer = log.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.keep_writing())?;

        let level = if quiet { LevelFilter::WARN } else { LevelFilter::INFO };
        // What the other parts of the library log, this program prints in its own way.
        let filter = Targets::new().with_target("sluicegate::forward", level);
        let taker = log.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .compact()
            .with_target(false)
            .with_writer(move || Line(taker.clone()));
        tracing_subscriber::registry().with(lines).with(filter).init();
        Ok(log)
    }

    fn keep_writing(&self) {
        loop {
            let begun = self.changed.wait_while(self.lines(), |lines| lines.waiting.is_empty());
            drop(begun);
            thread::sleep(DELAY);
            let (waiting, lost) = {
                let mut lines = self.lines();
                lines.is_writing = true;
                (mem::take(&mut lines.waiting), mem::take(&mut lines.lost))
            };
            // That nobody can read it any more is no reason to stop forwarding.
            let mut output = io::stderr().lock();
            let _ = output.write_all(&waiting);
            if lost > 0 {
                let _ = writeln!(output, "{lost} lines lost: they were not read in time");
            }
            drop(output);
            self.lines().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits a moment for the last lines to be written.
    pub(crate) fn finish(&self) {
        let is_busy = |lines: &mut Lines| lines.is_writing || !lines.waiting.is_empty();
        let _ = self.changed.wait_timeout_while(self.lines(), PATIENCE, is_busy);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one line.
struct Line(Arc<Log>);

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lines();
        if lines.waiting.is_empty() {
            self.0.changed.notify_all();
        }
        if lines.waiting.len() + line.len() <= LIMIT {
            lines.waiting.extend_from_slice(line);
        } else {
            lines.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
