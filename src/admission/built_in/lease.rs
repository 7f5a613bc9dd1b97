//! Rules of Leases.

use serde_json::Value;

use super::names::check_qualified_name;
use super::read::text;
use crate::schema::{Cause, Causes, FieldPath};

pub(super) fn check(lease: &Value, causes: &mut Causes) {
    let (spec, path) = (&lease["spec"], FieldPath::ROOT.field("spec"));
    let duration = &spec["leaseDurationSeconds"];
    if duration.as_f64().is_some_and(|seconds| seconds <= 0.0) {
        let path = path.field("leaseDurationSeconds");
        causes.push(|| Cause::invalid(&path, duration, "must be greater than 0"));
    }
    let transitions = &spec["leaseTransitions"];
    if transitions.as_f64().is_some_and(|count| count < 0.0) {
        let path = path.field("leaseTransitions");
        causes.push(|| Cause::invalid(&path, transitions, "must be greater than or equal to 0"));
    }
    let (strategy, strategy_path) = (&spec["strategy"], path.field("strategy"));
    match text(spec, "strategy") {
        "" => {
            if !text(spec, "preferredHolder").is_empty() {
                let detail = "may only be specified if `strategy` is defined";
                causes.push(|| Cause::forbidden(&path.field("preferredHolder"), detail));
            }
        }
        name if name.contains('/') => check_qualified_name(strategy, &strategy_path, causes),
        "OldestEmulationVersion" => {}
        _ => {
            let allowed = ["OldestEmulationVersion"];
            causes.push(|| Cause::not_supported(&strategy_path, strategy, allowed));
        }
    }
}
