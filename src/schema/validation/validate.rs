//! Validates an object.

use serde_json::Value;

use super::{lists, rule_evaluation, structure};
use crate::schema::cause::{Cause, CauseReason};
use crate::schema::causes::Causes;
use crate::schema::field_path::FieldPath;
use crate::schema::resource::ServedVersion;

/// Detail of the cause that stands for rules that were not evaluated.
const RULES_SKIPPED: &str = "some validation rules were not checked because the object was \
                             invalid; correct the existing errors to complete validation";

/// Validates a new object by its schema. The object has its defaults and no unknown fields.
pub fn validate(object: &Value, version: &ServedVersion) -> Causes {
    validate_change(object, None, version)
}

/// Validates an object that replaces another one by its schema.
///
/// Values that do not change are not checked, as in Kubernetes' ratcheting of custom resources;
/// lists that already contained duplicates may contain them.
pub fn validate_update(object: &Value, old: &Value, version: &ServedVersion) -> Causes {
    validate_change(object, Some(old), version)
}

fn validate_change(object: &Value, old: Option<&Value>, version: &ServedVersion) -> Causes {
    let schema = version.schema();
    let mut causes = structure::validate(object, old, schema);
    let has_old_duplicates = old.is_some_and(|old| !lists::validate(old, schema).is_empty());
    if !has_old_duplicates {
        causes.append(lists::validate(object, schema));
    }
    // Rules read values that have the types of the schema. An omitted cause may refuse a type.
    let blocks = |cause: &Cause| {
        matches!(
            cause.reason,
            CauseReason::NotSupported
                | CauseReason::Required
                | CauseReason::TooLong
                | CauseReason::TooMany
                | CauseReason::TypeInvalid
        )
    };
    if causes.omitted() == 0 && !causes.iter().any(blocks) {
        causes.append(rule_evaluation::evaluate(object, old, schema));
    } else if rule_evaluation::has_rules(schema) {
        causes.push(|| Cause::invalid(&FieldPath::ROOT, &Value::Null, RULES_SKIPPED));
    }
    causes
}
