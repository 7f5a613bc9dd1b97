//! Report of operations that take long.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Reports an operation that takes longer than a limit while it still runs.
///
/// An operation on a disk that hangs does not return, so another thread reports it. The thread
/// looks at the operation twice within the limit, and is not woken by each one: an operation is
/// reported after at most one and a half times the limit, and no operation is delayed.
#[derive(Debug)]
pub(in crate::store) struct Watchdog {
    started: Arc<Mutex<Option<Instant>>>,
    /// The thread ends when the sender is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Report of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Report {
    /// The operation takes longer than the limit, and still runs.
    Slow,
    /// The operation that was reported has ended.
    Ended,
}

/// An operation that runs until this is dropped.
#[derive(Debug)]
pub(in crate::store) struct Running<'a>(&'a Watchdog);

impl Watchdog {
    /// Starts the thread, which calls `report`.
    ///
    /// # Errors
    /// Returns an error if the thread cannot be started.
    pub(in crate::store) fn start(
        limit: Duration,
        report: impl Fn(Report) + Send + 'static,
    ) -> io::Result<Self> {
        let started = Arc::default();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("sluicegate-disk".to_owned());
        let shared = Arc::clone(&started);
        let thread = thread.spawn(move || {
            let mut reported = None;
            while stopped.recv_timeout(limit / 2) == Err::<(), _>(RecvTimeoutError::Timeout) {
                let started = *lock(&shared);
                if reported.is_some() && reported != started {
                    reported = None;
                    report(Report::Ended);
                }
                let is_slow = started.is_some_and(|started| started.elapsed() >= limit);
                if is_slow && reported.is_none() {
                    reported = started;
                    report(Report::Slow);
                }
            }
        })?;
        Ok(Self { started, stop: Some(stop), thread: Some(thread) })
    }

    /// Begins an operation.
    pub(super) fn begin(&self) -> Running<'_> {
        *lock(&self.started) = Some(Instant::now());
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *lock(&self.0.started) = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A panic of the thread is in the log, and the thread owns nothing.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

fn lock(started: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    started.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for every report.
    const WAIT: Duration = Duration::from_secs(20);

    #[test]
    fn slow_operation_is_reported_once_and_at_its_end() {
        let (sender, reports) = mpsc::channel();
        let report = move |report| _ = sender.send(report);
        let watchdog = Watchdog::start(Duration::from_millis(10), report).unwrap();
        for _ in 0..2 {
            let running = watchdog.begin();
            assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Slow));
            assert!(reports.recv_timeout(Duration::from_millis(50)).is_err(), "one report");
            drop(running);
            assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Ended));
        }
    }

    #[test]
    fn fast_operations_are_not_reported() {
        let (sender, reports) = mpsc::channel();
        let report = move |report| _ = sender.send(report);
        let watchdog = Watchdog::start(Duration::from_secs(60), report).unwrap();
        for _ in 0..1000 {
            drop(watchdog.begin());
        }
        drop(watchdog);
        assert!(reports.recv().is_err(), "no report until the thread has ended");
    }
}
