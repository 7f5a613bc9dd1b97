//! The rules of the model, for the kinds that routing reads.

use std::borrow::Cow;

use serde_json::Value;

use super::target::Target;
use crate::model::{ObjectKind, Violation, ViolationReason};
use crate::schema::{Cause, CauseReason, Causes, FieldPath};

/// Returns the causes for which routing would refuse an object in its stored version.
///
/// Metadata is left out: the schema checks it for all kinds.
pub(super) fn check(object: &Value, target: &Target<'_>) -> Causes {
    let resource = target.resource;
    let kind = ObjectKind::ALL
        .iter()
        .find(|kind| (kind.group(), kind.as_str()) == (resource.group(), resource.kind()));
    let mut causes = Causes::default();
    let Some(kind) = kind else { return causes };
    let named = with_name(object);
    match kind.deserialize(named.as_ref()) {
        Ok(object) => {
            for violation in object.validate(target.version.name()) {
                if !violation.field.starts_with("metadata.") {
                    causes.push(|| cause(violation));
                }
            }
        }
        // The schema and the rules in `built_in` refuse such an object first, with the path of the
        // field.
        Err(error) => {
            causes.push(|| Cause::invalid(&FieldPath::ROOT, &Value::Null, &error.to_string()));
        }
    }
    causes
}

/// Returns an object with a name. The store generates the name from `generateName` later, and the
/// types of the model require one.
fn with_name(object: &Value) -> Cow<'_, Value> {
    if object["metadata"]["name"].as_str().is_some_and(|name| !name.is_empty()) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    object["metadata"]["name"] = "generated".into();
    Cow::Owned(object)
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
