//! Writes JSON values as YAML.

use serde_json::Value;

/// Words that YAML 1.1 readers take for booleans or null.
const RESERVED: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"];

/// Returns a value as a YAML document in block style. Texts that another reader could take for
/// something else are quoted.
pub(super) fn yaml_text(value: &Value) -> String {
    let mut text = String::new();
    write_node(value, 0, &mut text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Returns a value as a further line of a list.
pub(super) fn yaml_item(value: &Value) -> String {
    let mut text = String::from("\n- ");
    write_node(value, 2, &mut text);
    text
}

/// Writes a value after `key:` or `-`, or at the start of the document.
fn write_node(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    start_line(indent, out);
                }
                write_text(key, out);
                out.push(':');
                write_value(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    start_line(indent, out);
                }
                out.push_str("- ");
                write_node(item, indent + 2, out);
            }
        }
        scalar => write_scalar(scalar, out),
    }
}

/// Writes a value after `key:`. Lists have the indentation of their key, as kubectl writes them.
fn write_value(value: &Value, indent: usize, out: &mut String) {
    let inner = match value {
        Value::Object(map) if !map.is_empty() => indent + 2,
        Value::Array(items) if !items.is_empty() => indent,
        scalar => {
            out.push(' ');
            write_scalar(scalar, out);
            return;
        }
    };
    start_line(inner, out);
    write_node(value, inner, out);
}

fn start_line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn write_scalar(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        // Empty lists and objects, numbers, booleans and null are the same in JSON.
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    // A JSON string is a double-quoted string of YAML, except for characters that YAML takes for
    // line breaks, or does not allow.
    for c in Value::from(text).to_string().chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => escape(c, out),
            c if c.is_control() => escape(c, out),
            c => out.push(c),
        }
    }
}

fn escape(c: char, out: &mut String) {
    out.push_str(&format!("\\u{:04x}", u32::from(c)));
}

/// Returns `true` if a text means itself without quotes.
fn is_plain(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_inner)
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_in_block_style() {
        let value = json!({
            "apiVersion": "v1",
            "metadata": {"labels": {}, "name": "a"},
            "items": [{"port": 80, "tags": ["b", ["c", []]]}, null],
            "text": "yes",
        });
        let expected = "apiVersion: v1\nitems:\n- port: 80\n  tags:\n  - b\n  - - c\n    - []\n- null\n\
                        metadata:\n  labels: {}\n  name: a\ntext: \"yes\"\n";
        assert_eq!(yaml_text(&value), expected);
        assert_eq!(yaml_text(&json!("x")), "x\n");
    }

    fn values() -> impl Strategy<Value = Value> {
        let text =
            "\\PC{0,6}|[-a-z0-9:#.~\\n\u{85}\u{2028} \"'&*!]{0,6}|yes|0x1f|1e3|012|1:30|null|<<";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn yaml_reader_finds_the_same_value(value in values()) {
            let text = yaml_text(&value);
            let read: Value = serde_yaml::from_str(&text).map_err(|error| {
                TestCaseError::fail(format!("{error}: {text}"))
            })?;
            prop_assert_eq!(read, value);
        }
    }
}
