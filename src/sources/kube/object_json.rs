//! The JSON of an object, without the fields that no part of this program uses.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Reads the JSON of an object, and skips `metadata.managedFields`, which is often longer than the
/// rest of the object.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Level::Object.deserialize(deserializer)
}

/// A map that is read field by field.
#[derive(Debug, Clone, Copy)]
enum Level {
    Object,
    Metadata,
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Metadata => "the metadata of an object",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(field) = map.next_key::<String>()? {
            let value = match (self, field.as_str()) {
                (Self::Metadata, "managedFields") => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                (Self::Object, "metadata") => map.next_value_seed(Self::Metadata)?,
                _ => map.next_value()?,
            };
            fields.insert(field, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn managed_fields_of_the_metadata_are_skipped() {
        let object = json!({
            "metadata": { "name": "s", "managedFields": [{ "manager": "kubectl" }] },
            "spec": { "managedFields": 1, "metadata": { "managedFields": 2 } },
        });
        let mut expected = object.clone();
        expected["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(read(object).unwrap(), expected);
    }

    #[test]
    fn metadata_must_be_a_map() {
        for object in [json!(null), json!([]), json!({ "metadata": 1 })] {
            assert!(read(object).is_err());
        }
    }
}
