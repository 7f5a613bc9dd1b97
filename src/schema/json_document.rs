//! Parses JSON and reports duplicate fields, which parsers otherwise drop silently.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Number, Value};

use super::field_path::FieldPath;
use super::field_paths::FieldPaths;

/// Error of [`parse_json`]: the text is not JSON, or it is nested too deeply (128 levels).
#[derive(Debug, thiserror::Error)]
#[error("the text is not valid JSON")]
pub struct JsonError(#[from] serde_json::Error);

impl JsonError {
    /// Returns the error of the parser.
    pub(super) fn into_source(self) -> serde_json::Error {
        self.0
    }
}

/// Parsed JSON.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JsonDocument {
    /// The value; of a duplicate field, the last one.
    pub value: Value,
    /// Paths of the first 100 fields that occur more than once, each of at most 256 bytes. A last
    /// text stands for further ones.
    pub duplicates: Vec<String>,
}

/// Parses JSON.
///
/// # Errors
/// Returns an error if the text is not JSON, is nested too deeply, or continues after the value.
pub fn parse_json(text: &[u8]) -> Result<JsonDocument, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let document = JsonDocument::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(document)
}

/// Reads any format with the types of JSON. A number that is not finite is an error.
impl<'de> Deserialize<'de> for JsonDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let duplicates = RefCell::<FieldPaths>::default();
        let seed = Seed { path: FieldPath::ROOT, duplicates: &duplicates };
        let value = seed.deserialize(deserializer)?;
        Ok(Self { value, duplicates: duplicates.into_inner().into_list() })
    }
}

/// Reads a value at a path.
struct Seed<'a> {
    path: FieldPath<'a>,
    duplicates: &'a RefCell<FieldPaths>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = self.path.index(list.len());
            match items.next_element_seed(Seed { path, duplicates: self.duplicates })? {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = self.path.field(&name);
            let value = fields.next_value_seed(Seed { path, duplicates: self.duplicates })?;
            if map.contains_key(&name) {
                let mut duplicates = self.duplicates.try_borrow_mut().map_err(A::Error::custom)?;
                duplicates.add(path);
            }
            map.insert(name, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;

    use super::*;

    #[test]
    fn duplicate_fields_have_their_paths() {
        let text =
            br#"{"a": 1, "b": [{"c": 1, "d": 2, "c": 3, "c": 4}], "a": {"e": null, "e": true}}"#;
        let found = parse_json(text).unwrap();
        assert_eq!(found.value, json!({"a": {"e": true}, "b": [{"c": 4, "d": 2}]}));
        assert_eq!(found.duplicates, ["b[0].c", "a.e", "a"]);
    }

    #[test]
    fn paths_of_duplicate_fields_are_bounded() {
        let parent = "p".repeat(200);
        let fields: Vec<_> =
            (0..1000).map(|index| format!("\"{index}\":1,\"{index}\":2")).collect();
        let text = format!("{{\"{parent}\":{{{}}}}}", fields.join(","));
        let found = parse_json(text.as_bytes()).unwrap();
        assert_eq!(found.value[&parent].as_object().unwrap().len(), 1000);
        assert_eq!(found.duplicates.len(), 101);
        assert_eq!(found.duplicates[99], format!("{parent}.99"));
    }

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [
            r#"{"a": [1, -1, 1.5, 1e3, 18446744073709551615, "x\u00e9\n", true, null, {}, []]}"#,
            "5",
            "\"x\"",
        ] {
            let found = parse_json(text.as_bytes()).unwrap();
            assert_eq!(found.value, serde_json::from_str::<Value>(text).unwrap());
            assert!(found.duplicates.is_empty());
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in ["", "{", "{} {}", "{a: 1}", "1e999", &"[".repeat(129), "\"\u{1}\""] {
            let error = parse_json(text.as_bytes()).unwrap_err();
            assert!(error.source().is_some(), "{text}");
        }
    }
}
