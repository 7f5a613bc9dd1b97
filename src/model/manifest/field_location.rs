//! Finding the place of a field in a document.
//!
//! The rules that span fields are checked on the typed object, which no longer knows its lines. So
//! the document is read once more, along the field's path, and given up on purpose at its end: the
//! library's error then tells the place.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Line and column of the field at `path`, or of the innermost part of the path that is there.
pub(super) fn locate(document: &str, path: &str) -> (usize, usize) {
    let steps = parse(path);
    let walk = Walk { steps: &steps };
    let error = walk.deserialize(serde_yaml::Deserializer::from_str(document)).err();
    error.and_then(|error| error.location()).map_or((1, 1), |place| (place.line(), place.column()))
}

#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

/// `a.b[2].c` as its steps.
fn parse(path: &str) -> Vec<Step<'_>> {
    path.split(['.', '[', ']'])
        .filter(|step| !step.is_empty())
        .map(|step| step.parse().map_or(Step::Field(step), Step::Index))
        .collect()
}

/// Goes down the remaining steps; every way ends in an error.
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
        f.write_str("the place that was looked for")
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
        Err(de::Error::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if let [Step::Index(wanted), rest @ ..] = self.steps {
            for _ in 0..*wanted {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Err(de::Error::custom("here"));
                }
            }
            seq.next_element_seed(Walk { steps: rest })?;
        }
        Err(de::Error::custom("here"))
    }
}
