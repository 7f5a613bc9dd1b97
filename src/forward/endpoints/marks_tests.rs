//! Tests of the marks, with a simulated clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::marks::{CAPACITY, FIRST_MARK, MAX_REPORTS, Marks, State};

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
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    for millis in 1..1_000 {
        assert_eq!(marks.record_failure(one, false, clock.at(millis), clock.at(millis)), None);
    }
    assert_eq!(marks.state(one, clock.at(1_000)), State::Due);
}

#[test]
fn check_marks_the_endpoint_until_it_ends() {
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
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
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
    assert_eq!(marks.record_failure(one, false, clock.at(0), clock.at(0)), Some(FIRST_MARK));
    assert_eq!(marks.record_failure(one, true, clock.at(1_000), clock.at(1_000)), None);
    let recovery = marks.record_success(one, clock.at(3_000));
    assert_eq!(recovery, Some(Duration::from_secs(3)));
    assert_eq!(marks.record_success(one, clock.at(3_000)), None);
}

#[test]
fn reports_of_a_flapping_endpoint_are_limited() {
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
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
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
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
fn full_table_removes_the_oldest_entry() {
    let (mut marks, clock) = (Marks::default(), Clock::new());
    let mut fail = |number: usize| {
        let time = clock.at(number as u64);
        marks.record_failure(endpoint(number), false, time, time);
        let is_marked = |number| marks.is_failing(endpoint(number));
        (marks.count(), is_marked(0), is_marked(1), is_marked(number))
    };
    for number in 0..CAPACITY {
        assert_eq!(fail(number), (number + 1, true, number > 0, true));
    }
    assert_eq!(fail(CAPACITY), (CAPACITY, false, true, true));
    assert_eq!(fail(CAPACITY + 1), (CAPACITY, false, false, true));
}

/// The attempt began before another one succeeded, and ends later.
#[test]
fn failure_that_is_older_than_a_success_is_ignored() {
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.record_success(one, clock.at(2_000));
    marks.record_failure(one, false, clock.at(1_000), clock.at(4_000));
    assert_eq!(marks.state(one, clock.at(4_000)), State::Unmarked);
    marks.record_failure(one, false, clock.at(3_000), clock.at(5_000));
    assert_eq!(marks.state(one, clock.at(5_000)), State::Marked);
}

#[test]
fn abandoned_check_can_be_repeated_at_once() {
    let (mut marks, clock, one) = (Marks::default(), Clock::new(), endpoint(1));
    marks.record_failure(one, false, clock.at(0), clock.at(0));
    marks.start_check(one, clock.at(11_000));
    marks.abandon_check(one, clock.at(1_500));
    assert_eq!(marks.state(one, clock.at(1_500)), State::Due);
}

/// The other endpoints are reported when their marks are prolonged.
#[test]
fn reports_of_many_endpoints_are_limited_for_each_second() {
    let (mut marks, clock) = (Marks::default(), Clock::new());
    let mut reports = |time: u64| {
        let fail = |number: &usize| {
            marks.record_failure(endpoint(*number), true, clock.at(time), clock.at(time)).is_some()
        };
        (0..250).filter(fail).count()
    };
    let counts: Vec<_> = (0..4).map(|second| reports(1_000 * second)).collect();
    assert_eq!(counts, [MAX_REPORTS, MAX_REPORTS, 250 - 2 * MAX_REPORTS, 0]);
}
