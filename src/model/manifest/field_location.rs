//! Finding the position of a field in a document.
//!
//! Rules that span fields are checked on the typed object, which has no positions. To find a
//! position, the document is parsed again along the path of the field, and parsing is stopped there
//! with an error: the error of the YAML library contains the position.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Returns line and column of the field at `path`, or of the innermost part of the path that
/// exists.
pub(super) fn locate(document: &str, path: &str) -> (usize, usize) {
    let steps = split_path(path);
    let walk = Walk { steps: &steps };
    let error = walk.deserialize(serde_yaml::Deserializer::from_str(document)).err();
    error
        .and_then(|error| error.location())
        .map_or((1, 1), |position| (position.line(), position.column()))
}

#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

/// Splits a path such as `a.b[2].c` into steps.
fn split_path(path: &str) -> Vec<Step<'_>> {
    path.split(['.', '[', ']'])
        .filter(|step| !step.is_empty())
        .map(|step| step.parse().map_or(Step::Field(step), Step::Index))
        .collect()
}

/// Follows the remaining steps. Every visit ends with an error.
struct Walk<'a> {
    steps: &'a [Step<'a>],
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the field at a path")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let [Step::Field(name), rest @ ..] = self.steps {
            while let Some(key) = map.next_key::<String>()? {
                if key == *name {
                    map.next_value_seed(Walk { steps: rest })?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Err(de::Error::custom("stopped at the field"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if let [Step::Index(wanted), rest @ ..] = self.steps {
            for _ in 0..*wanted {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Err(de::Error::custom("stopped at the field"));
                }
            }
            seq.next_element_seed(Walk { steps: rest })?;
        }
        Err(de::Error::custom("stopped at the field"))
    }
}
