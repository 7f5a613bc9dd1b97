//! Causes of a refused object, as in `Status.details.causes`.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::field_path::FieldPath;
use super::shortened::shortened;

/// Path of the object itself. kubectl prints it as it is.
const ROOT: &str = "<nil>";

/// Reason why a field was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum CauseReason {
    /// A required field is missing or empty.
    #[serde(rename = "FieldValueRequired")]
    Required,
    /// The value is malformed or out of bounds.
    #[serde(rename = "FieldValueInvalid")]
    Invalid,
    /// The value has another type than the schema requires.
    #[serde(rename = "FieldValueTypeInvalid")]
    TypeInvalid,
    /// The value is not one of an enumeration.
    #[serde(rename = "FieldValueNotSupported")]
    NotSupported,
    /// The value must be unique and is not.
    #[serde(rename = "FieldValueDuplicate")]
    Duplicate,
    /// The value is not allowed under the current conditions.
    #[serde(rename = "FieldValueForbidden")]
    Forbidden,
    /// The text is too long.
    #[serde(rename = "FieldValueTooLong")]
    TooLong,
    /// The list or map has too many entries.
    #[serde(rename = "FieldValueTooMany")]
    TooMany,
}

impl CauseReason {
    /// Returns the prefix of Kubernetes' messages with this reason.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Duplicate => "Duplicate value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

/// Refused field and the reason: an entry of `Status.details.causes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// Class of the error.
    pub reason: CauseReason,
    /// Description, as the API server of Kubernetes writes it.
    pub message: String,
    /// Path of the field; `<nil>` for the object itself, as Kubernetes writes it.
    pub field: String,
}

impl Cause {
    /// Returns the cause for a field that is missing.
    pub fn required(path: &FieldPath<'_>, detail: &str) -> Self {
        Self::new(CauseReason::Required, path, None, detail)
    }

    /// Returns the cause for a malformed value.
    pub fn invalid(path: &FieldPath<'_>, value: &Value, detail: &str) -> Self {
        Self::new(CauseReason::Invalid, path, Some(text(value)), detail)
    }

    /// Returns the cause for a value of another type than `expected`.
    pub(super) fn type_invalid(path: &FieldPath<'_>, value: &Value, expected: &str) -> Self {
        let found = type_name(value);
        let detail = format!("{path} in body must be of type {expected}: \"{found}\"");
        Self::new(CauseReason::TypeInvalid, path, Some(format!("\"{found}\"")), &detail)
    }

    /// Returns the cause for a text that does not have the format of its field.
    pub(super) fn malformed(path: &FieldPath<'_>, value: &Value, format: &str) -> Self {
        let detail = format!("{path} in body must be of type {format}: {}", text(value));
        Self::new(CauseReason::TypeInvalid, path, Some(text(value)), &detail)
    }

    /// Returns the cause for an object or list that breaks a rule; the message omits the value.
    pub(super) fn broken_rule(path: &FieldPath<'_>, value: &Value, detail: &str) -> Self {
        let value = (!value.is_object() && !value.is_array()).then(|| text(value));
        Self::new(CauseReason::Invalid, path, value, detail)
    }

    /// Returns the cause for a value that is not one of `allowed`.
    pub fn not_supported<'a>(
        path: &FieldPath<'_>,
        value: &Value,
        allowed: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let allowed: Vec<_> = allowed.into_iter().map(quoted).collect();
        let detail = format!("supported values: {}", allowed.join(", "));
        Self::new(CauseReason::NotSupported, path, Some(text(value)), &detail)
    }

    /// Returns the cause for a value that another one repeats.
    pub fn duplicate(path: &FieldPath<'_>, value: &Value) -> Self {
        Self::new(CauseReason::Duplicate, path, Some(text(value)), "")
    }

    /// Returns the cause for a value that is not allowed here.
    pub fn forbidden(path: &FieldPath<'_>, detail: &str) -> Self {
        Self::new(CauseReason::Forbidden, path, None, detail)
    }

    /// Returns the cause for a string of more than `limit` bytes.
    pub fn too_long(path: &FieldPath<'_>, limit: u64) -> Self {
        let unit = if limit == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {limit} {unit}");
        Self::new(CauseReason::TooLong, path, None, &detail)
    }

    /// Returns the cause for more than `limit` items.
    pub fn too_many(path: &FieldPath<'_>, count: usize, limit: u64) -> Self {
        let unit = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {unit}");
        Self::new(CauseReason::TooMany, path, Some(count.to_string()), &detail)
    }

    fn new(reason: CauseReason, path: &FieldPath<'_>, value: Option<String>, detail: &str) -> Self {
        let mut message = reason.title().to_owned();
        for part in value.as_deref().into_iter().chain((!detail.is_empty()).then_some(detail)) {
            message.push_str(": ");
            message.push_str(part);
        }
        let field = match path.to_string() {
            root if root.is_empty() => ROOT.to_owned(),
            path => path,
        };
        Self { reason, message, field }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Returns the JSON type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Longest part of a value that a message repeats: a refused object may be large.
const MAX_TEXT: usize = 1024;

fn text(value: &Value) -> String {
    shortened(value, MAX_TEXT)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_those_of_kubernetes() {
        let spec = FieldPath::ROOT.field("spec");
        let port = spec.field("port");
        for (cause, message) in [
            (Cause::required(&port, ""), "spec.port: Required value"),
            (Cause::required(&port, "why"), "spec.port: Required value: why"),
            (Cause::invalid(&port, &json!(0), "too low"), "spec.port: Invalid value: 0: too low"),
            (Cause::invalid(&port, &json!("a\"b"), ""), r#"spec.port: Invalid value: "a\"b""#),
            (
                Cause::type_invalid(&port, &json!("x"), "integer"),
                "spec.port: Invalid value: \"string\": spec.port in body must be of type integer: \
                 \"string\"",
            ),
            (
                Cause::malformed(&port, &json!("x"), "ipv4"),
                "spec.port: Invalid value: \"x\": spec.port in body must be of type ipv4: \"x\"",
            ),
            (Cause::broken_rule(&port, &json!({}), "no"), "spec.port: Invalid value: no"),
            (Cause::broken_rule(&port, &json!(1), "no"), "spec.port: Invalid value: 1: no"),
            (
                Cause::not_supported(&port, &json!("x"), ["a", "b"]),
                r#"spec.port: Unsupported value: "x": supported values: "a", "b""#,
            ),
            (Cause::duplicate(&port, &json!({"a": 1})), r#"spec.port: Duplicate value: {"a":1}"#),
            (Cause::forbidden(&port, "no"), "spec.port: Forbidden: no"),
            (Cause::too_long(&port, 1), "spec.port: Too long: may not be more than 1 byte"),
            (Cause::too_many(&port, 3, 2), "spec.port: Too many: 3: must have at most 2 items"),
            (Cause::invalid(&FieldPath::ROOT, &json!(null), "x"), "<nil>: Invalid value: null: x"),
        ] {
            assert_eq!(cause.to_string(), message);
        }
    }

    #[test]
    fn cause_is_an_entry_of_a_status() {
        for (path, field) in [(FieldPath::ROOT.field("spec"), "spec"), (FieldPath::ROOT, "<nil>")] {
            let cause = Cause::required(&path, "");
            let expected = json!({
                "reason": "FieldValueRequired", "message": "Required value", "field": field,
            });
            assert_eq!(serde_json::to_value(cause).unwrap(), expected);
        }
    }

    #[test]
    fn long_values_are_cut() {
        let cause = Cause::invalid(&FieldPath::ROOT, &json!("é".repeat(5000)), "x");
        assert!(cause.message.len() < 1100, "{}", cause.message.len());
        assert!(cause.message.ends_with("…: x"), "{}", cause.message);
    }
}
