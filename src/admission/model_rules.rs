//! The rules of the model, for the kinds that routing reads.

use serde_json::Value;

use super::target::Target;
use crate::model::{ObjectKind, Violation, ViolationReason};
use crate::schema::{Cause, CauseReason, FieldPath};

/// Returns the causes for which routing would refuse an object in its stored version.
///
/// Metadata is left out: the schema checks it for all kinds.
pub(super) fn check(object: &Value, target: &Target<'_>) -> Vec<Cause> {
    let resource = target.resource;
    let kind = ObjectKind::ALL
        .iter()
        .find(|kind| (kind.group(), kind.as_str()) == (resource.group(), resource.kind()));
    let Some(kind) = kind else { return Vec::new() };
    match kind.deserialize(object) {
        Ok(object) => {
            let violations = object.validate(target.version.name()).into_iter();
            violations.filter(|one| !one.field.starts_with("metadata.")).map(cause).collect()
        }
        // The schema and the rules in `built_in` refuse such an object first, with the path of the
        // field.
        Err(error) => {
            vec![Cause::invalid(&FieldPath::ROOT, &Value::Null, &error.to_string())]
        }
    }
}

fn cause(violation: Violation) -> Cause {
    let reason = match violation.reason {
        ViolationReason::Required => CauseReason::Required,
        ViolationReason::Duplicate => CauseReason::Duplicate,
        ViolationReason::TooMany => CauseReason::TooMany,
        ViolationReason::Invalid => CauseReason::Invalid,
    };
    let message = format!("{}: {}", reason.title(), violation.message);
    Cause { reason, message, field: violation.field }
}
