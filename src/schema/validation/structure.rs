//! Structural validation: types, required fields, bounds, patterns and enumerations.
//!
//! Messages are those of the API server, which tools and documentation quote.

use serde_json::{Map, Value};

use super::formats;
use super::old_item::find_old;
use crate::schema::cause::Cause;
use crate::schema::causes::Causes;
use crate::schema::field_path::FieldPath;
use crate::schema::node::{Format, Schema, ValueType};
use crate::schema::quantity::is_quantity;

/// Returns the causes for which the schema does not allow a value. `old` is the value that it
/// replaces.
pub(super) fn validate(value: &Value, old: Option<&Value>, schema: &Schema) -> Causes {
    let mut causes = Causes::default();
    check(value, old, schema, FieldPath::ROOT, &mut causes);
    causes
}

fn check(
    value: &Value,
    old: Option<&Value>,
    schema: &Schema,
    path: FieldPath<'_>,
    causes: &mut Causes,
) {
    let is_unchanged = old == Some(value);
    if is_unchanged || value.is_null() && schema.is_nullable {
        return;
    }
    if !has_type(value, schema) {
        causes.push(|| Cause::type_invalid(&path, value, schema.value_type.as_str()));
        if value.is_null() {
            return;
        }
    } else {
        match value {
            Value::String(text) => check_text(value, text, schema, &path, causes),
            Value::Number(_) => check_number(value, schema, &path, causes),
            Value::Array(items) => check_list(items, old, schema, &path, causes),
            Value::Object(map) => check_object(map, old, schema, &path, causes),
            Value::Null | Value::Bool(_) => {}
        }
    }
    if !schema.enumeration.is_empty() && !schema.enumeration.contains(value) {
        let allowed = schema.enumeration.iter().map(|one| one.as_str().unwrap_or("null"));
        causes.push(|| Cause::not_supported(&path, value, allowed));
    }
    check_alternatives(value, schema, path, causes);
}

fn has_type(value: &Value, schema: &Schema) -> bool {
    match schema.value_type {
        // An alternative may have a format and no type.
        ValueType::Any => schema.format.is_none() || value.is_string(),
        ValueType::Object => value.is_object(),
        ValueType::Array => value.is_array(),
        ValueType::String => value.is_string(),
        ValueType::Number => value.is_number(),
        ValueType::Boolean => value.is_boolean(),
        ValueType::Integer => is_integer(value, schema.format),
        ValueType::IntOrString => value.is_string() || is_integer(value, Some(Format::Int32)),
        ValueType::Quantity => match value {
            Value::String(text) => is_quantity(text),
            other => other.is_number(),
        },
    }
}

/// Returns `true` for an integer that fits its format. `5.0` is none: unlike JSON Schema, clients
/// in Go refuse it. Custom resources contain no such number after `write_integers`.
fn is_integer(value: &Value, format: Option<Format>) -> bool {
    let number = value.as_i64();
    match format {
        Some(Format::Int32) => number.is_some_and(|number| i32::try_from(number).is_ok()),
        _ => number.is_some(),
    }
}

/// Adds the first cause for which a text is refused. Further ones would repeat it in other words.
fn check_text(
    value: &Value,
    text: &str,
    schema: &Schema,
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let bounds = schema.bounds;
    let length = text.chars().count() as u64;
    if let Some(limit) = bounds.max_length.filter(|limit| length > *limit) {
        causes.push(|| Cause::too_long(path, limit));
    } else if let Some(least) = bounds.min_length.filter(|least| length < *least) {
        causes.push(|| {
            let detail = format!("{path} in body should be at least {least} chars long");
            Cause::invalid(path, value, &detail)
        });
    } else if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| !pattern.is_match(text))
    {
        causes.push(|| {
            let detail = format!("{path} in body should match '{pattern}'");
            Cause::invalid(path, value, &detail)
        });
    } else if let Some(name) = schema.format.and_then(|format| formats::mismatch(text, format)) {
        causes.push(|| Cause::malformed(path, value, name));
    }
}

fn check_number(value: &Value, schema: &Schema, path: &FieldPath<'_>, causes: &mut Causes) {
    let Some(number) = value.as_f64() else { return };
    let (minimum, maximum) = (schema.bounds.minimum, schema.bounds.maximum);
    if let Some(least) = minimum.filter(|least| number < *least as f64) {
        causes.push(|| {
            let detail = format!("{path} in body should be greater than or equal to {least}");
            Cause::invalid(path, value, &detail)
        });
    }
    if let Some(limit) = maximum.filter(|limit| number > *limit as f64) {
        causes.push(|| {
            let detail = format!("{path} in body should be less than or equal to {limit}");
            Cause::invalid(path, value, &detail)
        });
    }
}

fn check_list(
    items: &[Value],
    old: Option<&Value>,
    schema: &Schema,
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let (count, bounds) = (items.len() as u64, schema.bounds);
    if let Some(limit) = bounds.max_items.filter(|limit| count > *limit) {
        causes.push(|| Cause::too_many(path, items.len(), limit));
    }
    if let Some(least) = bounds.min_items.filter(|least| count < *least) {
        causes.push(|| {
            let detail = format!("{path} in body should have at least {least} items");
            Cause::invalid(path, &count.into(), &detail)
        });
    }
    if let Some(child) = &schema.items {
        // Items beyond the bound need no causes: the list is refused because of their number.
        let limit = bounds.max_items.map_or(usize::MAX, |limit| limit as usize);
        for (index, item) in items.iter().enumerate().take(limit) {
            let old = old.and_then(|old| find_old(item, old, &schema.list_type));
            check(item, old, child, path.index(index), causes);
        }
    }
}

fn check_object(
    map: &Map<String, Value>,
    old: Option<&Value>,
    schema: &Schema,
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let (count, bounds) = (map.len() as u64, schema.bounds);
    if let Some(limit) = bounds.max_properties.filter(|limit| count > *limit) {
        causes.push(|| Cause::too_many(path, map.len(), limit));
        return;
    }
    if let Some(least) = bounds.min_properties.filter(|least| count < *least) {
        causes.push(|| {
            let detail = format!("{path} in body should have at least {least} properties");
            Cause::invalid(path, &count.into(), &detail)
        });
    }
    for name in schema.required.iter().filter(|name| !map.contains_key(*name)) {
        causes.push(|| Cause::required(&path.field(name), ""));
    }
    for (name, value) in map {
        if let Some(child) = schema.child(name) {
            let old = old.and_then(|old| old.get(name));
            check(value, old, child, path.field(name), causes);
        }
    }
}

/// Checks the alternatives of a schema. If none is met, the causes of the first one follow: unlike
/// the cause for the alternatives, they have the path of a field.
fn check_alternatives(value: &Value, schema: &Schema, path: FieldPath<'_>, causes: &mut Causes) {
    let find_causes = |alternative: &Schema| {
        let mut causes = Causes::default();
        check(value, None, alternative, path, &mut causes);
        causes
    };
    let refuse = |detail: String| Cause::invalid(&FieldPath::ROOT, &"".into(), &detail);
    if let Some(first) = schema.any_of.first()
        && !schema.any_of.iter().any(|one| find_causes(one).is_empty())
    {
        causes.push(|| refuse(format!("\"{path}\" must validate at least one schema (anyOf)")));
        causes.append(find_causes(first));
    }
    if let Some(first) = schema.one_of.first() {
        let valid = schema.one_of.iter().filter(|one| find_causes(one).is_empty()).count();
        let found = match valid {
            0 => "Found none valid".to_owned(),
            more => format!("Found {more} valid alternatives"),
        };
        if valid != 1 {
            causes.push(|| {
                refuse(format!("\"{path}\" must validate one and only one schema (oneOf). {found}"))
            });
        }
        if valid == 0 {
            causes.append(find_causes(first));
        }
    }
    if schema.not.as_ref().is_some_and(|not| find_causes(not).is_empty()) {
        causes.push(|| refuse(format!("\"{path}\" must not validate the schema (not)")));
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
