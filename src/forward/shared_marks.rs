//! The marks of the failed endpoints of a backend, shared by all workers, and their log lines.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::dial_failure::DialFailure;
use super::dial_log::DialLog;
use super::endpoints::{Attempt, Choice, Marks, ReportLimiter, State, Turns};
use crate::plan::{BackendPlan, Endpoint};

/// The marks, behind a lock that is held for one choice at a time.
#[derive(Debug)]
pub(super) struct SharedMarks {
    marks: Mutex<Marks>,
    /// Number of marked endpoints. Without any, a success needs no lock.
    count: AtomicUsize,
    log: Arc<DialLog>,
}

impl SharedMarks {
    pub(super) fn new(reports: Arc<ReportLimiter>, log: Arc<DialLog>) -> Self {
        Self { marks: Mutex::new(Marks::new(reports)), count: AtomicUsize::new(0), log }
    }

    /// Removes the marks of other endpoints than these, which are sorted.
    pub(super) fn retain(&self, endpoints: &[Endpoint]) {
        self.update(|marks| marks.retain(endpoints));
    }

    /// Returns the next attempt of a connection.
    pub(super) fn next(
        &self,
        choice: &mut Choice,
        turns: Turns<'_>,
        now: Instant,
    ) -> Option<Attempt> {
        choice.next(turns, &mut self.lock(), now)
    }

    /// Records that an endpoint accepted a connection.
    pub(super) fn record_success(&self, attempt: Attempt, backend: &BackendPlan) {
        if attempt.state == State::Unmarked && self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let recovery = self.update(|marks| marks.record_success(attempt.endpoint, Instant::now()));
        if let Some(failing_for) = recovery {
            let failing_ms = u64::try_from(failing_for.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                endpoint = %attempt.endpoint,
                backend = %backend.id,
                failing_ms,
                "endpoint accepts connections again"
            );
        }
    }

    /// Records the failure of an attempt that began at `started`.
    pub(super) fn record_failure(
        &self,
        attempt: Attempt,
        started: Instant,
        failure: DialFailure,
        error: &io::Error,
        backend: &BackendPlan,
    ) {
        if failure.is_local() {
            return self.record_local_failure(attempt, failure, error);
        }
        let (endpoint, now) = (attempt.endpoint, Instant::now());
        let is_check = attempt.state == State::Due;
        let report = self.update(|marks| {
            let mark = marks.record_failure(endpoint, is_check, started, now)?;
            let is_usable = |other: &Endpoint| !marks.is_failing(other.address);
            let has_others = backend.endpoints.iter().any(is_usable);
            Some((mark, has_others))
        });
        let Some((mark, has_others)) = report else { return };
        let consequence = if has_others {
            "connections prefer others until a retry succeeds"
        } else {
            "all endpoints of the backend fail, so its connections are reset unless one accepts"
        };
        tracing::warn!(
            %endpoint,
            backend = %backend.id,
            reason = failure.as_str(),
            %error,
            retry_after_s = mark.as_secs_f64(),
            "endpoint failed; {consequence}"
        );
    }

    /// Records an attempt that failed because this host lacks a resource. The endpoint is not the
    /// cause.
    pub(super) fn record_local_failure(
        &self,
        attempt: Attempt,
        failure: DialFailure,
        error: &io::Error,
    ) {
        self.abandon(attempt);
        self.log.warn_local(attempt.endpoint, failure, error, Instant::now());
    }

    /// Warns that a connection is reset because `limit` dials to the backend are in progress.
    pub(super) fn warn_dial_limit(&self, limit: usize, backend: &BackendPlan, now: Instant) {
        self.log.warn_limit(&backend.id, limit, now);
    }

    /// Records that an attempt ended without a result.
    pub(super) fn abandon(&self, attempt: Attempt) {
        if attempt.state == State::Due {
            self.update(|marks| marks.abandon_check(attempt.endpoint, Instant::now()));
        }
    }

    fn update<T>(&self, change: impl FnOnce(&mut Marks) -> T) -> T {
        let mut marks = self.lock();
        let result = change(&mut marks);
        self.count.store(marks.count(), Ordering::Relaxed);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
