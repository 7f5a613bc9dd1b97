//! The marks of failed endpoints.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::report_limiter::ReportLimiter;
use crate::plan::Endpoint;

/// Duration of the first mark. It doubles with each further failure, up to the longest.
pub(super) const FIRST_MARK: Duration = Duration::from_secs(1);
const LONGEST_MARK: Duration = Duration::from_secs(10);

/// Minimum time between two reports that the same endpoint fails. It limits the log lines of a
/// flapping endpoint.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The endpoints of a backend that failed, and the time until which connections avoid them.
#[derive(Debug)]
pub(in crate::forward) struct Marks {
    entries: HashMap<SocketAddr, Entry>,
    /// Number of entries with a mark.
    marked: usize,
    /// Limits the reports of all backends.
    reports: Arc<ReportLimiter>,
}

#[derive(Debug)]
struct Entry {
    /// The mark; `None` after a recovery. Such an entry remains, because it limits the reports.
    mark: Option<Mark>,
    /// Time of the first failure, or of the recovery.
    since: Instant,
    /// Time of the last report.
    reported_at: Option<Instant>,
}

#[derive(Debug)]
struct Mark {
    duration: Duration,
    /// End of the mark, or of the attempt that checks the endpoint after the mark.
    until: Instant,
    /// The failure was reported, so the recovery is reported too.
    is_reported: bool,
}

/// State of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forward) enum State {
    /// The last attempt succeeded, or there was none.
    Unmarked,
    /// The mark has ended; one connection may try the endpoint.
    Due,
    /// Connections avoid the endpoint.
    Marked,
}

impl Marks {
    pub(in crate::forward) fn new(reports: Arc<ReportLimiter>) -> Self {
        Self { entries: HashMap::new(), marked: 0, reports }
    }

    /// Removes the entries of other endpoints than these, which are sorted. So the table has at
    /// most an entry for each endpoint, and for those that connections with an earlier list try.
    pub(in crate::forward) fn retain(&mut self, endpoints: &[Endpoint]) {
        self.entries.retain(|address, entry| {
            let is_kept = endpoints.binary_search_by_key(address, |other| other.address).is_ok();
            self.marked -= usize::from(!is_kept && entry.mark.is_some());
            is_kept
        });
    }

    /// Returns the number of endpoints with a mark, also if it has ended.
    pub(in crate::forward) fn count(&self) -> usize {
        self.marked
    }

    pub(super) fn state(&self, endpoint: SocketAddr, now: Instant) -> State {
        match self.entries.get(&endpoint).and_then(|entry| entry.mark.as_ref()) {
            None => State::Unmarked,
            Some(mark) if mark.until <= now => State::Due,
            Some(_) => State::Marked,
        }
    }

    /// Returns `true` if the last attempt failed, also if the mark has ended.
    pub(in crate::forward) fn is_failing(&self, endpoint: SocketAddr) -> bool {
        self.entries.get(&endpoint).is_some_and(|entry| entry.mark.is_some())
    }

    /// Marks an endpoint for the duration of an attempt that checks it, so that no other connection
    /// tries it.
    pub(super) fn start_check(&mut self, endpoint: SocketAddr, until: Instant) {
        if let Some(mark) = self.entries.get_mut(&endpoint).and_then(|entry| entry.mark.as_mut()) {
            mark.until = until;
        }
    }

    /// Ends a check without a result. Another connection may check the endpoint at once.
    pub(in crate::forward) fn abandon_check(&mut self, endpoint: SocketAddr, now: Instant) {
        self.start_check(endpoint, now);
    }

    /// Records the failure of an attempt that began at `started`. `is_check` is set for the attempt
    /// after the end of a mark.
    ///
    /// Returns the duration of the mark if the failure has to be reported: the endpoint begins to
    /// fail, and there was no report of it within [`REPORT_INTERVAL`].
    pub(in crate::forward) fn record_failure(
        &mut self,
        endpoint: SocketAddr,
        is_check: bool,
        started: Instant,
        now: Instant,
    ) -> Option<Duration> {
        let new_entry = Entry { mark: None, since: started, reported_at: None };
        let entry = self.entries.entry(endpoint).or_insert(new_entry);
        let (duration, was_reported) = match &entry.mark {
            // The failure is already known: the connection had no other endpoint, or began earlier.
            Some(_) if !is_check => return None,
            Some(mark) => ((2 * mark.duration).min(LONGEST_MARK), mark.is_reported),
            // The endpoint has accepted a connection since the attempt began.
            None if started < entry.since => return None,
            None => {
                entry.since = now;
                self.marked += 1;
                (FIRST_MARK, false)
            }
        };
        let is_recent = entry.reported_at.is_some_and(|time| now < time + REPORT_INTERVAL);
        let is_new_report = !was_reported && !is_recent && self.reports.admits(now);
        if is_new_report {
            entry.reported_at = Some(now);
        }
        let is_reported = was_reported || is_new_report;
        entry.mark = Some(Mark { duration, until: now + duration, is_reported });
        is_new_report.then_some(duration)
    }

    /// Records that an endpoint accepted a connection, which removes its mark.
    ///
    /// Returns the time since its first failure if the recovery has to be reported.
    pub(in crate::forward) fn record_success(
        &mut self,
        endpoint: SocketAddr,
        now: Instant,
    ) -> Option<Duration> {
        let entry = self.entries.get_mut(&endpoint)?;
        let mark = entry.mark.take()?;
        self.marked -= 1;
        let failing_for = now.duration_since(entry.since);
        entry.since = now;
        mark.is_reported.then_some(failing_for)
    }
}
