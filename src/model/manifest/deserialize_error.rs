//! Errors of deserialization, in the terms of YAML instead of those of Rust.

use std::error::Error;
use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::path::Path;
use super::position::Position;

/// Maximum length of a value that an error quotes, in characters.
const MAX_QUOTED: usize = 80;

/// Error of deserializing a node.
#[derive(Debug)]
pub(super) struct DeserializeError {
    pub(super) message: String,
    /// Position and path of the node; absent until the error leaves the node's deserializer.
    pub(super) location: Option<(Position, String)>,
    /// The field that is missing in the node.
    missing: Option<&'static str>,
}

impl DeserializeError {
    fn new(message: String) -> Self {
        Self { message, location: None, missing: None }
    }

    /// Creates the error for a value of another type or range.
    pub(super) fn unexpected(found: Unexpected<'_>, expected: &str) -> Self {
        let message = format!("found {}, expected {expected}", describe(found));
        Self::new(match found {
            Unexpected::Bool(_) => message + "; a text such as yes, no, on, off or n needs quotes",
            Unexpected::Str(text) if text.parse::<f64>().is_ok() => {
                message + "; a number has no quotes"
            }
            _ => message,
        })
    }

    /// Adds position and path of a node, unless the error has those of an inner node.
    pub(super) fn at(mut self, position: Position, path: &Path<'_>) -> Self {
        if self.location.is_none() {
            let path = match self.missing {
                Some(field) => Path::Field(path, field).to_string(),
                None => path.to_string(),
            };
            self.location = Some((position, path));
        }
        self
    }
}

impl fmt::Display for DeserializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for DeserializeError {}

impl de::Error for DeserializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected(found, &describe_expected(expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected(found, &describe_expected(expected))
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::unexpected(Unexpected::Str(found), &one_of(expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::new("is missing; the field is required".to_owned()) }
    }
}

/// Lists the values that are allowed.
pub(super) fn one_of(values: &[&str]) -> String {
    match values {
        [] => "no value".to_owned(),
        [value] => format!("`{value}`"),
        [values @ .., last] => {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("{} or `{last}`", values.join(", "))
        }
    }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("the boolean {value}"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Char(character) => format!("the text `{character}`"),
        Unexpected::Str("") => "an empty text".to_owned(),
        Unexpected::Str(text) => match text.char_indices().nth(MAX_QUOTED) {
            None => format!("the text `{text}`"),
            Some((end, _)) => format!("a text that begins with `{}`", &text[..end]),
        },
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// Describes the expected value. `serde` writes Rust's names of types by default.
fn describe_expected(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a string" => "a text".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            "a whole number".to_owned()
        }
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ => text,
    }
}
