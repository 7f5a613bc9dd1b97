//! Transition times over several reports.

use jiff::Timestamp;

use crate::model::{
    Condition, ConditionStatus, ConditionType, Gateway, GatewayClass, ObjectMeta, Reason,
    Resources, StatusReport, TcpRoute,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn named(name: &str, created: i64) -> ObjectMeta {
    let creation_timestamp = Some(at(created));
    ObjectMeta { creation_timestamp, ..ObjectMeta::named(name.parse().unwrap()) }
}

/// A class, a Gateway and a route, all of them created at this time.
fn objects(created: i64) -> Resources {
    let mut objects = Resources::new();
    let mut class = GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap());
    class.metadata = named("c", created);
    objects.insert(class);
    objects.insert(Gateway::new(named("g", created), "c".parse().unwrap(), Vec::new()));
    objects.insert(TcpRoute::new(named("r", created), Vec::new(), Vec::new()));
    objects
}

fn accepted(status: ConditionStatus, message: &'static str) -> Condition {
    Condition::new(ConditionType::ACCEPTED, status, Reason::ACCEPTED, message, None)
}

/// The status of the objects as translation reports it: one condition at each place.
fn report(status: ConditionStatus, message: &'static str) -> StatusReport {
    StatusReport::example(accepted(status, message))
}

/// The objects and the status of the last report.
#[derive(Default)]
struct Reported(Resources, StatusReport);

impl Reported {
    fn next(&self, objects: Resources, mut status: StatusReport, now: i64) -> Self {
        let now = Timestamp::from_millisecond(now * 1000 + 900).unwrap();
        status.set_transition_times(&objects, &self.1, &self.0, now);
        Self(objects, status)
    }

    /// Returns the time of each condition, in seconds.
    fn times(&self) -> Vec<i64> {
        let time = |condition: &Condition| condition.last_transition_time.unwrap();
        self.1.conditions().map(|(_, condition)| time(condition).as_second()).collect()
    }
}

use ConditionStatus::{False, True};

#[test]
fn transition_time_is_kept_over_passes_while_the_status_is_the_same() {
    let first = Reported::default().next(objects(1), report(True, "one"), 10);
    assert_eq!(first.times(), [10; 4]);
    let same = first.next(objects(1), report(True, "one"), 20);
    assert_eq!(same.1, first.1, "reports are equal if the status is");
    let other_message = same.next(objects(1), report(True, "two"), 30);
    assert_eq!(other_message.times(), [10; 4]);
    assert_ne!(other_message.1, first.1);
}

#[test]
fn transition_time_is_the_second_of_the_pass_that_changes_the_status() {
    let first = Reported::default().next(objects(1), report(True, ""), 10);
    let changed = first.next(objects(1), report(False, ""), 20);
    assert_eq!(changed.times(), [20; 4]);
    let time =
        changed.1.gateway_classes.values().next().unwrap().conditions[0].last_transition_time;
    assert_eq!(time, Some(at(20)), "the API has a precision of one second");
    assert_eq!(changed.next(objects(1), report(True, ""), 30).times(), [30; 4]);
}

#[test]
fn transition_time_of_one_place_is_independent_of_the_others() {
    let first = Reported::default().next(objects(1), report(True, ""), 10);
    let change: [fn(&mut StatusReport); 4] = [
        |it| it.gateway_classes.values_mut().next().unwrap().conditions[0].status = False,
        |it| it.gateways.values_mut().next().unwrap().conditions[0].status = False,
        |it| it.gateways.values_mut().next().unwrap().listeners[0].conditions[0].status = False,
        |it| it.tcp_routes.values_mut().next().unwrap().parents[0].conditions[0].status = False,
    ];
    for (index, change) in change.into_iter().enumerate() {
        let mut status = report(True, "");
        change(&mut status);
        let mut expected = [10; 4];
        expected[index] = 20;
        assert_eq!(first.next(objects(1), status, 20).times(), expected);
    }
}

#[test]
fn transition_time_is_not_kept_for_another_name_or_type() {
    let first = Reported::default().next(objects(1), report(True, ""), 10);
    let mut status = report(True, "");
    status.gateway_classes.values_mut().next().unwrap().conditions[0].condition_type =
        ConditionType::SUPPORTED_VERSION;
    status.gateways.values_mut().next().unwrap().listeners[0].name = "m".parse().unwrap();
    let parents = &mut status.tcp_routes.values_mut().next().unwrap().parents;
    parents[0].parent_ref.section_name = Some("l".parse().unwrap());
    let mut other = parents[0].clone();
    other.parent_ref.section_name = None;
    other.controller_name = "example.com/other".parse().unwrap();
    parents.push(other);
    assert_eq!(first.next(objects(1), status, 20).times(), [20, 10, 20, 20, 20]);
}

#[test]
fn transition_time_of_an_object_that_was_created_again_is_new() {
    let first = Reported::default().next(objects(1), report(True, ""), 10);
    // The pass between the deletion and the creation may be skipped.
    assert_eq!(first.next(objects(2), report(True, ""), 20).times(), [20; 4]);
    let removed = first.next(Resources::new(), StatusReport::default(), 20);
    assert_eq!(removed.next(objects(1), report(True, ""), 30).times(), [30; 4]);
}

#[test]
fn transition_time_follows_the_uid_if_there_is_one() {
    let of = |uid: &str, created| {
        let mut objects = objects(created);
        let mut all: Vec<_> = objects.objects().collect();
        all.iter_mut().for_each(|object| object.metadata_mut().uid = Some(uid.into()));
        objects.extend(all);
        objects
    };
    let first = Reported::default().next(of("a", 1), report(True, ""), 10);
    assert_eq!(first.next(of("b", 1), report(True, ""), 20).times(), [20; 4]);
    assert_eq!(first.next(of("a", 2), report(True, ""), 20).times(), [10; 4]);
}

/// Entries of other controllers come from the objects, with the time that those report.
#[test]
fn transition_time_that_is_present_is_not_changed() {
    let mut status = report(True, "");
    let parents = &mut status.tcp_routes.values_mut().next().unwrap().parents;
    parents[0].conditions[0].last_transition_time = Some(at(5));
    let first = Reported::default().next(objects(1), status, 10);
    assert_eq!(first.times(), [10, 10, 10, 5]);
}
