//! Writer of the log on standard error.
//!
//! Lines are gathered for a moment and written together, by a thread of their own: there is a line
//! for each connection, and no worker waits for whoever reads them.

use std::io::{self, Write as _};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(100);

/// How many bytes may wait for a reader that is slow; further lines are lost, and counted.
const LIMIT: usize = 4 * 1024 * 1024;

/// How long the end of the program waits for the last lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lines on their way to standard error.
#[derive(Default)]
pub(crate) struct Logs {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    lost: usize,
    is_writing: bool,
}

impl Logs {
    /// Starts the writer thread.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let logs = Arc::new(Self::default());
        let writer = logs.clone();
        thread::Builder::new().name("logs".to_owned()).spawn(move || writer.keep_writing())?;
        Ok(logs)
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
            let _ = io::stderr().lock().write_all(&waiting);
            self.lines().is_writing = false;
            self.changed.notify_all();
            if lost > 0 {
                tracing::warn!(
                    lost,
                    "lines of the log are missing here: they were not read in time"
                );
            }
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
pub(crate) struct Line(pub(crate) Arc<Logs>);

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
