//! The state of the log, which all workers share.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, TARGET};
use super::limiter::LineLimiter;
use super::suppressed::Suppressed;
use crate::forward::settings::{ConnectionLog, Settings};
use crate::plan::ListenerId;

/// Decides which connections are logged, and reports the number of the others.
#[derive(Debug)]
pub(in crate::forward) struct ConnectionLogger {
    setting: ConnectionLog,
    /// `None` if the number of lines is not limited.
    limiter: Option<LineLimiter>,
    /// Beginning of the first second.
    started: Instant,
    /// The counts of each worker. Only reports read those of another worker.
    suppressed: Box<[Mutex<Suppressed>]>,
    /// `true` while a worker is to report the counts.
    is_report_due: AtomicBool,
}

impl ConnectionLogger {
    pub(in crate::forward) fn new(settings: &Settings) -> Self {
        Self {
            setting: settings.connection_log,
            limiter: settings.connection_log_limit.map(LineLimiter::new),
            started: Instant::now(),
            suppressed: (0..settings.workers.get()).map(|_| Mutex::default()).collect(),
            is_report_due: AtomicBool::new(false),
        }
    }

    /// Returns `true` if a line is to be logged for the event. If only the limit prevents it, the
    /// line is counted. The worker that counts the first one reports the counts at the end of the
    /// second: this sets `report_at`, and [`report_due`](Self::report_due) follows.
    pub(in crate::forward) fn admits(
        &self,
        worker: usize,
        listener: &ListenerId,
        event: Event,
        report_at: &mut Option<Instant>,
    ) -> bool {
        if !event.is_selected(self.setting) {
            return false;
        }
        let Some(limiter) = &self.limiter else { return true };
        let seconds = self.started.elapsed().as_secs();
        if limiter.admits(u32::try_from(seconds).unwrap_or(u32::MAX)) {
            return true;
        }
        lock(&self.suppressed[worker]).add(listener, event);
        // The line is counted before the flag is read, and the report clears the flag before it
        // reads the counts. So either this report or the next one contains the line.
        if !self.is_report_due.swap(true, Ordering::AcqRel) {
            *report_at = Some(self.started + Duration::from_secs(seconds + 1));
        }
        false
    }

    /// Logs the counts. It is called at the time that [`admits`](Self::admits) set.
    pub(in crate::forward) fn report_due(&self) {
        self.is_report_due.swap(false, Ordering::AcqRel);
        self.report();
    }

    /// Logs the counts since the last report, if there are any.
    pub(in crate::forward) fn report(&self) {
        let Some(limiter) = &self.limiter else { return };
        let mut suppressed = Suppressed::default();
        for worker in &self.suppressed {
            // The lock is released before the line is formatted.
            let counts = mem::take(&mut *lock(worker));
            suppressed.merge(counts);
        }
        let total = suppressed.total();
        if total > 0 {
            let limit = limiter.limit().get();
            tracing::info!(
                target: TARGET,
                suppressed = total,
                limit,
                counts = %suppressed,
                "connection lines suppressed: {total} beyond the limit of {limit} a second; to log \
                 more, raise the limit (--connection-log-limit, Settings::connection_log_limit); to \
                 log failures only, use --connection-log failures (Settings::connection_log)"
            );
        }
    }
}

fn lock(suppressed: &Mutex<Suppressed>) -> MutexGuard<'_, Suppressed> {
    suppressed.lock().unwrap_or_else(PoisonError::into_inner)
}
