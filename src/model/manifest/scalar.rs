//! Types of scalars, as kubectl resolves them.
//!
//! kubectl reads YAML 1.1 with `sigs.k8s.io/yaml`, so that `yes` is a boolean and `0x1F` a number.
//! The rules here are those of `resolve` in its YAML library, [`go.yaml.in/yaml/v2`][spec]. kubectl
//! then converts the document to JSON, which writes `5000.0` as `5000`; an API server accepts it as
//! an integer.
//!
//! [spec]: https://github.com/yaml/go-yaml/blob/v2.4.4/resolve.go

use std::borrow::Cow;

use granit_parser::Tag;

use super::tree::Value;

/// Tags of YAML's core schema begin with this.
const CORE_TAG: &str = "tag:yaml.org,2002:";

/// Resolves a scalar. A plain scalar is one without quotes.
///
/// # Errors
/// Returns a message if the text is not a value of the type that the tag requires.
pub(super) fn resolve<'a>(
    text: Cow<'a, str>,
    is_plain: bool,
    tag: Option<&Tag>,
) -> Result<Value<'a>, String> {
    let Some(tag) = tag else {
        return Ok(if is_plain { resolve_plain(text) } else { Value::Text(text) });
    };
    // The tag `!` alone requires no type.
    if [tag.handle(), tag.suffix()].concat() == "!" {
        return Ok(resolve_plain(text));
    }
    let value = match tag.suffix_in_namespace(CORE_TAG).as_deref() {
        Some("bool") => {
            Some(resolve_plain(text.clone())).filter(|value| matches!(value, Value::Bool(_)))
        }
        Some("int") => Some(resolve_plain(text.clone())).filter(Value::is_integer),
        Some("float") => Some(resolve_plain(text.clone()))
            .filter(|value| value.is_integer() || matches!(value, Value::Float(_))),
        Some("null") => Some(resolve_plain(text.clone())).filter(|value| *value == Value::Null),
        Some("binary") => None,
        // A text, or a tag that kubectl ignores.
        _ => return Ok(Value::Text(text)),
    };
    value.ok_or_else(|| format!("cannot be read with its tag {tag}; correct or remove the tag"))
}

/// Resolves a plain scalar: one without quotes and tag.
fn resolve_plain(text: Cow<'_, str>) -> Value<'_> {
    let value = match text.as_bytes().first() {
        None => Some(Value::Null),
        Some(b'+' | b'-' | b'0'..=b'9') => resolve_special(&text).or_else(|| resolve_number(&text)),
        Some(b'.') => resolve_special(&text).or_else(|| parse_float(&without_separators(&text)?)),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            resolve_special(&text)
        }
        Some(_) => None,
    };
    value.unwrap_or(Value::Text(text))
}

/// Resolves the booleans, nulls and special numbers of YAML 1.1.
fn resolve_special(text: &str) -> Option<Value<'static>> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// Resolves a text that begins with a digit or a sign.
fn resolve_number(text: &str) -> Option<Value<'static>> {
    let digits: Cow<'_, str> =
        if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    parse_integer(&digits).or_else(|| parse_float(&digits))
}

/// Removes the underscores between digits. Returns `None` if there are others.
fn without_separators(text: &str) -> Option<Cow<'_, str>> {
    let is_digits = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && part.ends_with(|c: char| c.is_ascii_digit())
    };
    match text.split_once('_') {
        None => Some(text.into()),
        Some((first, rest)) => (first.ends_with(|c: char| c.is_ascii_digit())
            && rest.split('_').all(is_digits))
        .then(|| text.replace('_', "").into()),
    }
}

/// Parses an integer with the prefixes of Go: `0x`, `0o`, `0b`, and `0` for octal.
fn parse_integer(text: &str) -> Option<Value<'static>> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some('-'), &text[1..]),
        b'+' => (Some('+'), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` accepts a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (sign, i64::try_from(magnitude)) {
        (Some('-'), _) => 0_i64.checked_sub_unsigned(magnitude).map(Value::Integer),
        (_, Ok(number)) => Some(Value::Integer(number)),
        (None, Err(_)) => Some(Value::Unsigned(magnitude)),
        (Some(_), Err(_)) => None,
    }
}

/// Parses a decimal number. One without a fraction is an integer.
fn parse_float(text: &str) -> Option<Value<'static>> {
    // Rust accepts words such as `inf` too, but none that begins with a digit.
    let is_decimal =
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let number = text.parse::<f64>().ok().filter(|number| is_decimal && number.is_finite())?;
    // `f64` has every integer up to this magnitude.
    const MAX: f64 = (1_u64 << 53) as f64;
    if number.fract() == 0.0 && (-MAX..=MAX).contains(&number) {
        Some(Value::Integer(number as i64))
    } else {
        Some(Value::Float(number))
    }
}

/// Returns the text of a value as the key of a mapping, as in JSON. `null`, lists and mappings
/// cannot be keys.
pub(super) fn key_text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Bool(value) => if *value { "true" } else { "false" }.into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Unsigned(number) => number.to_string().into(),
        Value::Float(number) => number.to_string().into(),
        Value::Null | Value::List(_) | Value::Mapping(_) => return None,
    })
}
