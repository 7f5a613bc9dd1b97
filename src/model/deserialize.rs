//! Deserialization of fields as an API server does it.
//!
//! A type refuses only what no API server could store. `null` and, for some fields, an empty text
//! or 0 mean that a field is not set; a status that another controller wrote is never an error.
//! Finer rules are in `validate`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, IntoDeserializer, Visitor};

use super::labels::Labels;

/// Deserializes an explicit `null` as the default, as the API server does.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Deserializes `null` and an empty text as the default. The API server does so for the enums of a
/// Service.
pub(super) fn empty_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(empty_as_none(deserializer)?.unwrap_or_default())
}

/// Deserializes `null` and an empty text as `None`.
pub(super) fn empty_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct EmptyAsNone<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for EmptyAsNone<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
            if text.is_empty() {
                return Ok(None);
            }
            let text: StrDeserializer<'_, E> = text.into_deserializer();
            T::deserialize(text).map(Some)
        }
    }

    deserializer.deserialize_any(EmptyAsNone(PhantomData))
}

/// Deserializes labels or annotations. A value `null` is the empty text.
pub(super) fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let labels: Option<BTreeMap<String, Option<String>>> = Option::deserialize(deserializer)?;
    let labels = labels.into_iter().flatten();
    Ok(labels.map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// Deserializes a map of texts in an object of Gateway API. An entry with the value `null` is left
/// out: the API server removes a `null` that the schema does not allow.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let texts: Option<BTreeMap<String, Option<String>>> = Option::deserialize(deserializer)?;
    let texts = texts.into_iter().flatten();
    Ok(texts.filter_map(|(key, value)| Some((key, value?))).collect())
}

/// A value, or something else in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Valid(T),
    Other(IgnoredAny),
}

impl<T> Lenient<T> {
    fn valid(self) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

/// Deserializes a value of another shape as the default.
pub(super) fn valid_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Lenient::deserialize(deserializer)?.valid().unwrap_or_default())
}

/// Deserializes the entries of a list that have the right shape. The others are left out.
pub(super) fn valid_entries<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let entries = Lenient::<Vec<Lenient<T>>>::deserialize(deserializer)?.valid();
    Ok(entries.into_iter().flatten().filter_map(Lenient::valid).collect())
}
