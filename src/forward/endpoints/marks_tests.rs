//! Tests of the marks, with a simulated clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::marks::{FIRST_MARK, Marks, State};
use super::report_limiter::{MAX_REPORTS, ReportLimiter};
use crate::plan::Endpoint;

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
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    let mut time = 0;
    for expected in [1, 2, 4, 8, 10, 10] {
        marks.record_failure(one, true, clock.at(time), clock.at(time));
        let end = time + 1_000 * expected;
        assert_eq!(marks.state(one, clock.at(end - 1)), State::Marked, "{expected} s");
        assert_eq!(marks.state(one, clock.at(end)), State::Due, "{expected} s");
        time = end;
    }
    marks.record_success(one, clock.at(time));
    assert_eq!(marks.state(one, clock.at(time)), State::Unmarked);
    marks.record_failure(one, false, clock.at(time), clock.at(time));
    assert_eq!(marks.state(one, clock.at(time + 1_000)), State::Due, "the first mark again");
}

#[test]
fn failure_of_a_marked_endpoint_does_not_extend_its_mark() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    for millis in 1..1_000 {
        assert_eq!(marks.record_failure(one, false, clock.at(millis), clock.at(millis)), None);
    }
    assert_eq!(marks.state(one, clock.at(1_000)), State::Due);
}

#[test]
fn check_marks_the_endpoint_until_it_ends() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.start_check(one, clock.at(4_000));
    assert_eq!(marks.state(one, clock.at(3_999)), State::Marked);
    assert_eq!(marks.state(one, clock.at(4_000)), State::Due, "the check was abandoned");
    marks.record_failure(one, true, clock.at(2_000), clock.at(2_000));
    assert_eq!(marks.state(one, clock.at(3_999)), State::Marked, "marked for 2 s");
    assert_eq!(marks.state(one, clock.at(4_000)), State::Due);
}

#[test]
fn failure_and_recovery_are_reported_once() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    assert_eq!(marks.record_failure(one, false, clock.at(0), clock.at(0)), Some(FIRST_MARK));
    assert_eq!(marks.record_failure(one, true, clock.at(1_000), clock.at(1_000)), None);
    let recovery = marks.record_success(one, clock.at(3_000));
    assert_eq!(recovery, Some(Duration::from_secs(3)));
    assert_eq!(marks.record_success(one, clock.at(3_000)), None);
}

#[test]
fn reports_of_a_flapping_endpoint_are_limited() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    let (mut failures, mut recoveries) = (0, 0);
    for step in 0..1_000 {
        failures += usize::from(
            marks.record_failure(one, false, clock.at(100 * step), clock.at(100 * step)).is_some(),
        );
        recoveries += usize::from(marks.record_success(one, clock.at(100 * step + 50)).is_some());
    }
    // 100 s, one report in each 10 s.
    assert_eq!((failures, recoveries), (10, 10));
}

#[test]
fn lasting_failure_is_reported_after_a_recent_report() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.record_success(one, clock.at(100));
    assert_eq!(marks.record_failure(one, false, clock.at(200), clock.at(200)), None);
    assert_eq!(marks.record_failure(one, true, clock.at(1_200), clock.at(1_200)), None);
    let report = marks.record_failure(one, true, clock.at(10_000), clock.at(10_000));
    assert_eq!(report, Some(Duration::from_secs(4)));
    let recovery = marks.record_success(one, clock.at(12_200));
    assert_eq!(recovery, Some(Duration::from_secs(12)));
}

#[test]
fn marks_of_other_endpoints_are_removed() {
    let (mut marks, clock) = (Marks::new(Arc::default()), Clock::new());
    for number in 0..4 {
        marks.record_failure(endpoint(number), false, clock.at(0), clock.at(0));
    }
    marks.record_success(endpoint(3), clock.at(1));
    marks.retain(&[1, 2, 4].map(|number| Endpoint::new(endpoint(number))));
    let marked: Vec<_> = (0..5).filter(|number| marks.is_failing(endpoint(*number))).collect();
    assert_eq!((marks.count(), marked), (2, vec![1, 2]));
}

/// The attempt began before another one succeeded, and ends later.
#[test]
fn failure_that_is_older_than_a_success_is_ignored() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.record_success(one, clock.at(2_000));
    marks.record_failure(one, false, clock.at(1_000), clock.at(4_000));
    assert_eq!(marks.state(one, clock.at(4_000)), State::Unmarked);
    marks.record_failure(one, false, clock.at(3_000), clock.at(5_000));
    assert_eq!(marks.state(one, clock.at(5_000)), State::Marked);
}

#[test]
fn abandoned_check_can_be_repeated_at_once() {
    let (mut marks, clock, one) = (Marks::new(Arc::default()), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.start_check(one, clock.at(11_000));
    marks.abandon_check(one, clock.at(1_500));
    assert_eq!(marks.state(one, clock.at(1_500)), State::Due);
}

/// The other endpoints are reported when their marks are prolonged.
#[test]
fn reports_of_all_backends_are_limited_together_for_each_second() {
    let (reports, clock) = (Arc::<ReportLimiter>::default(), Clock::new());
    let mut backends = [(); 2].map(|()| Marks::new(reports.clone()));
    let mut reports = |time: u64| {
        let now = clock.at(time);
        let fail = |number: &usize| {
            let marks = &mut backends[number % 2];
            marks.record_failure(endpoint(*number), true, now, now).is_some()
        };
        (0..250).filter(fail).count()
    };
    let counts: Vec<_> = (0..4).map(|second| reports(1_000 * second)).collect();
    assert_eq!(counts, [MAX_REPORTS, MAX_REPORTS, 250 - 2 * MAX_REPORTS, 0]);
}
