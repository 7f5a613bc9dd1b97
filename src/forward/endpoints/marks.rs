//! The marks of failed endpoints.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Maximum number of endpoints in the table. The oldest entry is removed first.
const CAPACITY: usize = 4096;

/// Duration of the first mark. It doubles with each further failure, up to the longest.
const FIRST_MARK: Duration = Duration::from_secs(1);
const LONGEST_MARK: Duration = Duration::from_secs(10);

/// Minimum time between two reports that the same endpoint fails. It limits the log lines of a
/// flapping endpoint.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The endpoints that failed, and the time until which connections avoid them.
#[derive(Debug, Default)]
pub(in crate::forward) struct Marks(HashMap<SocketAddr, Entry>);

#[derive(Debug)]
struct Entry {
    /// The mark; `None` after a recovery. Such an entry remains, because it limits the reports.
    mark: Option<Mark>,
    /// Time of the first failure, or of the recovery.
    since: Instant,
    reported_at: Instant,
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
    pub(super) fn state(&self, endpoint: SocketAddr, now: Instant) -> State {
        match self.0.get(&endpoint).and_then(|entry| entry.mark.as_ref()) {
            None => State::Unmarked,
            Some(mark) if mark.until <= now => State::Due,
            Some(_) => State::Marked,
        }
    }

    /// Returns `true` if the last attempt failed, also if the mark has ended.
    pub(in crate::forward) fn is_failing(&self, endpoint: SocketAddr) -> bool {
        self.failing_since(endpoint).is_some()
    }

    /// Returns the time of the first failure since the endpoint last accepted a connection.
    pub(super) fn failing_since(&self, endpoint: SocketAddr) -> Option<Instant> {
        let entry = self.0.get(&endpoint)?;
        entry.mark.as_ref().map(|_| entry.since)
    }

    /// Marks an endpoint for the duration of an attempt that checks it, so that no other connection
    /// tries it. If the attempt is abandoned, the endpoint is due again after that time.
    pub(super) fn start_check(&mut self, endpoint: SocketAddr, until: Instant) {
        if let Some(mark) = self.0.get_mut(&endpoint).and_then(|entry| entry.mark.as_mut()) {
            mark.until = until;
        }
    }

    /// Records a failure. `is_check` is set for the attempt after the end of a mark.
    ///
    /// Returns the duration of the mark if the failure has to be reported: the endpoint begins to
    /// fail, and the last report is older than [`REPORT_INTERVAL`].
    pub(in crate::forward) fn record_failure(
        &mut self,
        endpoint: SocketAddr,
        is_check: bool,
        now: Instant,
    ) -> Option<Duration> {
        let Some(entry) = self.0.get_mut(&endpoint) else {
            self.make_room();
            let mark = Mark { duration: FIRST_MARK, until: now + FIRST_MARK, is_reported: true };
            self.0.insert(endpoint, Entry { mark: Some(mark), since: now, reported_at: now });
            return Some(FIRST_MARK);
        };
        let (duration, is_reported) = match &entry.mark {
            // The connection began earlier, or had no other endpoint. The failure is already known.
            Some(mark) if now < mark.until && !is_check => return None,
            Some(mark) => ((2 * mark.duration).min(LONGEST_MARK), mark.is_reported),
            None => {
                entry.since = now;
                (FIRST_MARK, false)
            }
        };
        let report = !is_reported && now >= entry.reported_at + REPORT_INTERVAL;
        if report {
            entry.reported_at = now;
        }
        let is_reported = is_reported || report;
        entry.mark = Some(Mark { duration, until: now + duration, is_reported });
        report.then_some(duration)
    }

    /// Records that an endpoint accepted a connection, which removes its mark.
    ///
    /// Returns the time since its first failure if the recovery has to be reported.
    pub(in crate::forward) fn record_success(
        &mut self,
        endpoint: SocketAddr,
        now: Instant,
    ) -> Option<Duration> {
        let entry = self.0.get_mut(&endpoint)?;
        let mark = entry.mark.take()?;
        let failing_for = now.duration_since(entry.since);
        entry.since = now;
        mark.is_reported.then_some(failing_for)
    }

    /// Removes an entry if the table is full: the oldest one without a mark, or else the oldest.
    fn make_room(&mut self) {
        if self.0.len() < CAPACITY {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, entry)| (entry.mark.is_some(), entry.since));
        if let Some((&endpoint, _)) = oldest {
            self.0.remove(&endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(number: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, (number / 250) as u8, (number % 250) as u8], 80))
    }

    /// The times of a test, in milliseconds.
    struct Clock(Instant);

    impl Clock {
        fn new() -> Self {
            Self(Instant::now())
        }

        fn at(&self, millis: u64) -> Instant {
            self.0 + Duration::from_millis(millis)
        }
    }

    #[test]
    fn mark_doubles_up_to_ten_seconds() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        let mut time = 0;
        for expected in [1, 2, 4, 8, 10, 10] {
            marks.record_failure(one, true, clock.at(time));
            let end = time + 1_000 * expected;
            assert_eq!(marks.state(one, clock.at(end - 1)), State::Marked, "{expected} s");
            assert_eq!(marks.state(one, clock.at(end)), State::Due, "{expected} s");
            time = end;
        }
        marks.record_success(one, clock.at(time));
        assert_eq!(marks.state(one, clock.at(time)), State::Unmarked);
        marks.record_failure(one, false, clock.at(time));
        assert_eq!(marks.state(one, clock.at(time + 1_000)), State::Due, "the first mark again");
    }

    #[test]
    fn failure_of_a_marked_endpoint_does_not_extend_its_mark() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        marks.record_failure(one, false, clock.at(0));
        for millis in 1..1_000 {
            assert_eq!(marks.record_failure(one, false, clock.at(millis)), None);
        }
        assert_eq!(marks.state(one, clock.at(1_000)), State::Due);
    }

    #[test]
    fn check_marks_the_endpoint_until_it_ends() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        marks.record_failure(one, false, clock.at(0));
        marks.start_check(one, clock.at(4_000));
        assert_eq!(marks.state(one, clock.at(3_999)), State::Marked);
        assert_eq!(marks.state(one, clock.at(4_000)), State::Due, "the check was abandoned");
        marks.record_failure(one, true, clock.at(2_000));
        assert_eq!(marks.state(one, clock.at(3_999)), State::Marked, "marked for 2 s");
        assert_eq!(marks.state(one, clock.at(4_000)), State::Due);
    }

    #[test]
    fn failure_and_recovery_are_reported_once() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        assert_eq!(marks.record_failure(one, false, clock.at(0)), Some(FIRST_MARK));
        assert_eq!(marks.record_failure(one, true, clock.at(1_000)), None);
        let recovery = marks.record_success(one, clock.at(3_000));
        assert_eq!(recovery, Some(Duration::from_secs(3)));
        assert_eq!(marks.record_success(one, clock.at(3_000)), None);
    }

    #[test]
    fn reports_of_a_flapping_endpoint_are_limited() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        let (mut failures, mut recoveries) = (0, 0);
        for step in 0..1_000 {
            failures +=
                usize::from(marks.record_failure(one, false, clock.at(100 * step)).is_some());
            recoveries +=
                usize::from(marks.record_success(one, clock.at(100 * step + 50)).is_some());
        }
        // 100 s, one report in each 10 s.
        assert_eq!((failures, recoveries), (10, 10));
    }

    #[test]
    fn lasting_failure_is_reported_after_a_recent_report() {
        let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
        marks.record_failure(one, false, clock.at(0));
        marks.record_success(one, clock.at(100));
        assert_eq!(marks.record_failure(one, false, clock.at(200)), None);
        assert_eq!(marks.record_failure(one, true, clock.at(1_200)), None);
        let report = marks.record_failure(one, true, clock.at(10_000));
        assert_eq!(report, Some(Duration::from_secs(4)));
        let recovery = marks.record_success(one, clock.at(12_200));
        assert_eq!(recovery, Some(Duration::from_secs(12)));
    }

    #[test]
    fn full_table_removes_the_oldest_entry() {
        let (mut marks, clock) = (Marks::default(), Clock::new());
        for number in 0..CAPACITY {
            marks.record_failure(endpoint(number), false, clock.at(number as u64));
        }
        marks.record_success(endpoint(7), clock.at(9_000));
        let is_known = |marks: &Marks, number| marks.0.contains_key(&endpoint(number));
        marks.record_failure(endpoint(CAPACITY), false, clock.at(9_001));
        assert!(!is_known(&marks, 7), "an endpoint that recovered is removed first");
        marks.record_failure(endpoint(CAPACITY + 1), false, clock.at(9_002));
        assert!(!is_known(&marks, 0) && is_known(&marks, 1), "the oldest is removed next");
        assert_eq!(marks.0.len(), CAPACITY);
    }
}
