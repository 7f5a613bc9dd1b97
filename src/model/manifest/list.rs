//! Reading the items of a list. An invalid item does not affect the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entry::Entry;
use super::error::ManifestError;
use super::header::DeclaredKind;
use super::read_object::{ParsedObject, UNPARSABLE, error_at, parse_object, read_object};
use super::split::Document;
use crate::model::object_kind::ObjectKind;

/// Reads the items of a list, given the kind that each of them declares.
pub(super) fn read_items(document: &Document<'_>, declared: Vec<DeclaredKind>) -> Vec<Entry> {
    let supported = |(index, declared): (usize, &DeclaredKind)| match declared {
        DeclaredKind::Supported { kind, .. } => Some((index, *kind)),
        DeclaredKind::Unsupported(_) | DeclaredKind::Invalid(_) => None,
    };
    let kinds = declared.iter().enumerate().filter_map(supported).collect();
    let mut parsed = parse_items(document, &kinds);
    let mut read_item = |(index, declared)| {
        let prefix = format!("items[{index}]");
        read_object(document, &prefix, declared, |_| {
            parsed.remove(&index).unwrap_or_else(|| {
                Err(error_at(document, &prefix, "", None, UNPARSABLE.to_owned()))
            })
        })
    };
    declared.into_iter().enumerate().map(&mut read_item).collect()
}

/// Parses the items of supported kinds, by their index.
///
/// An error ends the parsing of the whole list. Each invalid item therefore costs another pass,
/// which skips it.
fn parse_items(
    document: &Document<'_>,
    kinds: &BTreeMap<usize, ObjectKind>,
) -> BTreeMap<usize, Result<ParsedObject, ManifestError>> {
    let mut invalid = BTreeMap::new();
    loop {
        let mut reading = Reading {
            kinds,
            skip: invalid.keys().copied().collect(),
            current: 0,
            items: BTreeMap::new(),
        };
        let deserializer = serde_yaml::Deserializer::from_str(document.text);
        let result = ListSeed(&mut reading).deserialize(deserializer);
        let mut items = BTreeMap::new();
        if let Err(error) = result {
            let error = ManifestError::from_yaml(&error, 1).in_document(document);
            if invalid.insert(reading.current, error.clone()).is_none() {
                continue;
            }
            // Skipping the item did not help: parsing stopped there again. Every item that was not
            // parsed gets this error.
            items.extend(kinds.keys().map(|index| (*index, Err(error.clone()))));
        }
        items.extend(invalid.into_iter().map(|(index, error)| (index, Err(error))));
        items.extend(reading.items.into_iter().map(|(index, item)| (index, Ok(item))));
        return items;
    }
}

struct Reading<'a> {
    kinds: &'a BTreeMap<usize, ObjectKind>,
    skip: BTreeSet<usize>,
    current: usize,
    items: BTreeMap<usize, ParsedObject>,
}

/// The list itself: a mapping with `items`.
struct ListSeed<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                map.next_value_seed(ItemsSeed(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct ItemsSeed<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let reading = self.0;
        for index in 0.. {
            reading.current = index;
            let kind = reading.kinds.get(&index).filter(|_| !reading.skip.contains(&index));
            let more = match kind {
                None => seq.next_element::<IgnoredAny>()?.is_some(),
                Some(kind) => match seq.next_element_seed(ItemSeed(*kind))? {
                    Some(item) => reading.items.insert(index, item).is_none(),
                    None => false,
                },
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

struct ItemSeed(ObjectKind);

impl<'de> DeserializeSeed<'de> for ItemSeed {
    type Value = ParsedObject;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        parse_object(self.0, deserializer)
    }
}
