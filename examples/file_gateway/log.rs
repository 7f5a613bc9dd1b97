//! A line on standard error for each connection, when it ends.
//!
//! Lines are gathered for a moment and written together: at thousands of connections a second, a
//! system call for each would cost as much as all else that is done for the log.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(100);

/// How many bytes may wait; whoever brings more writes them.
const LIMIT: usize = 64 * 1024;

/// Lines on their way to standard error.
#[derive(Default)]
pub(crate) struct Log {
    waiting: Mutex<Vec<u8>>,
    has_begun: Condvar,
}

impl Log {
    /// Starts to log; if `quiet`, only what is amiss.
    ///
    /// # Errors
    /// Where there is no thread to be had. Writing has one of its own, since nothing else should wait
    /// for a reader that stands still.
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
            let waiting = self.has_begun.wait_while(self.waiting(), |waiting| waiting.is_empty());
            drop(waiting);
            thread::sleep(DELAY);
            self.write();
        }
    }

    /// Writes what waits. That nobody can read it any more is no reason to stop forwarding.
    pub(crate) fn write(&self) {
        // Whoever has standard error writes what came first.
        let mut output = io::stderr().lock();
        let waiting = std::mem::take(&mut *self.waiting());
        let _ = output.write_all(&waiting);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one line.
struct Line(Arc<Log>);

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting();
        if waiting.is_empty() {
            self.0.has_begun.notify_one();
        }
        waiting.extend_from_slice(line);
        if waiting.len() > LIMIT {
            drop(waiting);
            self.0.write();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
