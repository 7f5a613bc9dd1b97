//! JSON texts in one form, so that equal values have equal texts.

use serde_json::{Map, Value};

/// Appends `value` as JSON without spaces, with the keys of objects in order.
///
/// The order of a `serde_json::Map` depends on a feature that any crate of the build can enable, so
/// the keys are sorted here.
pub(super) fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => write_object(map, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

pub(super) fn write_object(map: &Map<String, Value>, out: &mut String) {
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_key(key, out);
        write_value(value, out);
    }
    out.push('}');
}

/// Appends a key of an object with its colon.
pub(super) fn write_key(key: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(key).expect("a string is valid JSON"));
    out.push(':');
}

pub(super) fn value_text(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text_is_compact_and_sorted() {
        let value: Value = serde_json::from_str(
            r#"{ "b": [1, -2.5, "a\"\n\u0000ö", {}], "a": {"z": null, "y": true}, "": [] }"#,
        )
        .unwrap();
        let text = value_text(&value);
        let expected = r#"{"":[],"a":{"y":true,"z":null},"b":[1,-2.5,"a\"\n\u0000ö",{}]}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
