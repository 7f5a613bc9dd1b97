//! Syntax of names and ports that several kinds use.

use serde_json::Value;

use crate::schema::{Cause, Causes, FieldPath, key_error, label_error};

const PORT_NUMBER: &str = "must be between 1 and 65535, inclusive";

/// Checks a text that must be a DNS label.
pub(super) fn check_label_name(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    if let Some(error) = value.as_str().and_then(label_error) {
        causes.push(|| Cause::invalid(path, value, error));
    }
}

/// Checks a text that must be a qualified name, such as `example.com/name`.
pub(super) fn check_qualified_name(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    if let Some(error) = value.as_str().and_then(key_error) {
        causes.push(|| Cause::invalid(path, value, &error));
    }
}

/// Checks the number of a port.
pub(super) fn check_port_number(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    let number = value.as_f64().unwrap_or_default();
    if !(1.0..=65535.0).contains(&number) {
        causes.push(|| Cause::invalid(path, value, PORT_NUMBER));
    }
}

/// Checks the number of a port, or the name of a port of a container.
pub(super) fn check_port_or_name(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    match value {
        Value::String(name) => {
            if let Some(error) = port_name_error(name) {
                causes.push(|| Cause::invalid(path, value, error));
            }
        }
        number => check_port_number(number, path, causes),
    }
}

/// Returns the error in the name of a container's port: a service name of IANA (RFC 6335).
pub(super) fn port_name_error(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 15 {
        Some("must be no more than 15 bytes")
    } else if !name.bytes().all(is_allowed) {
        Some("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    } else if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Some("must contain at least one letter (a-z)")
    } else if name.contains("--") {
        Some("must not contain consecutive hyphens")
    } else if name.starts_with('-') || name.ends_with('-') {
        Some("must not begin or end with a hyphen")
    } else {
        None
    }
}

/// Checks a key of a ConfigMap or Secret, which may become the name of a file.
pub(super) fn check_data_key(key: &str, path: &FieldPath<'_>, causes: &mut Causes) {
    const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or \
        '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
        '[-._a-zA-Z0-9]+')";
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let error = match key {
        _ if key.len() > 253 => "must be no more than 253 bytes",
        _ if key.is_empty() || !key.bytes().all(is_allowed) => KEY,
        "." => "must not be '.'",
        ".." => "must not be '..'",
        _ if key.starts_with("..") => "must not start with '..'",
        _ => return,
    };
    causes.push(|| Cause::invalid(&path.key(key), &key.into(), error));
}

/// Checks a text that must be one of an enumeration. An absent text is allowed.
pub(super) fn check_enum(
    object: &Value,
    field: &str,
    allowed: &[&str],
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let value = &object[field];
    if value.as_str().is_some_and(|text| !allowed.contains(&text)) {
        causes.push(|| Cause::not_supported(&path.field(field), value, allowed.iter().copied()));
    }
}
