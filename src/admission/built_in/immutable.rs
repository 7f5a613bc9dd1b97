//! Fields that cannot change.

use serde_json::Value;

use super::read::is_unset;
use crate::schema::{Cause, Causes, FieldPath};

/// Checks that a field is that of the stored object.
pub(super) fn check_same(
    object: &Value,
    old: &Value,
    field: &str,
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let (value, old) = (&object[field], &old[field]);
    if value != old && !(is_unset(value) && is_unset(old)) {
        causes.push(|| Cause::invalid(&path.field(field), value, "field is immutable"));
    }
}

/// Checks the data of a ConfigMap or Secret that was declared immutable.
pub(super) fn check_data(object: &Value, old: &Value, fields: &[&str], causes: &mut Causes) {
    if old["immutable"] != true {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if object["immutable"] != true {
        causes.push(|| Cause::forbidden(&FieldPath::ROOT.field("immutable"), detail));
    }
    for field in fields {
        let (value, old) = (&object[*field], &old[*field]);
        if value != old && !(is_unset(value) && is_unset(old)) {
            causes.push(|| Cause::forbidden(&FieldPath::ROOT.field(field), detail));
        }
    }
}
