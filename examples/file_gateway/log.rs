//! A line on standard error for each connection, when it ends.
//!
//! Lines are gathered for a moment and written together: at thousands of connections a second, a
//! system call for each would cost as much as all else that is done for the log.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(100);

/// How many bytes may wait; whoever brings more waits until they are written.
const LIMIT: usize = 64 * 1024;

/// Lines on their way to standard error.
#[derive(Default)]
pub(crate) struct Log {
    waiting: Mutex<Vec<u8>>,
    has_begun: Notify,
}

impl Log {
    /// Starts to log; if `quiet`, only what is amiss.
    pub(crate) fn start(quiet: bool) -> Arc<Self> {
        let log = Arc::new(Self::default());
        let level = if quiet { LevelFilter::WARN } else { LevelFilter::INFO };
        // What the other parts of the library log, this program prints in its own way.
        let filter = Targets::new().with_target("sluicegate::forward", level);
        let writer = log.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .compact()
            .with_target(false)
            .with_writer(move || Line(writer.clone()));
        tracing_subscriber::registry().with(lines).with(filter).init();
        log
    }

    /// Writes what waits, again and again.
    pub(crate) async fn keep_writing(&self) -> ! {
        loop {
            self.has_begun.notified().await;
            tokio::time::sleep(DELAY).await;
            self.write();
        }
    }

    /// Writes what waits. That nobody can read it any more is no reason to stop forwarding.
    pub(crate) fn write(&self) {
        let waiting = std::mem::take(&mut *self.waiting());
        let _ = io::stderr().write_all(&waiting);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
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
