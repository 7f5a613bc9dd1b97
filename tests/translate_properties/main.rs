//! Properties of translation for random objects.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod addresses;
mod independence;
mod loops;
mod messages;
mod objects;
mod routes;
mod status;

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use sluicegate::model::*;
use sluicegate::translate::{Assignments, Settings, Translation, translate};

use self::objects::{OURS, parse};

fn translated(objects: &[Object]) -> Translation {
    let settings = Settings::default().with_controller(parse(OURS));
    translate(&resources(objects), &settings, &Assignments::default())
}

fn resources(objects: &[Object]) -> Resources {
    objects.iter().cloned().collect()
}

fn is_true(conditions: &[Condition], condition_type: &ConditionType) -> bool {
    find_condition(conditions, condition_type).unwrap().status == ConditionStatus::True
}

/// Without optimisation, the default generator would take most of the time.
fn config() -> ProptestConfig {
    ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() }
}
