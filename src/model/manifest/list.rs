//! Taking lists apart: each item is read, and may be wrong, by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::document::{at_field, check, written};
use super::fault::Fault;
use super::split::Document;
use super::{Announced, Content, Entry, Head, Loose, announced};
use crate::model::object::{Object, ObjectKind};

/// The entries of a list's items. The items of `GatewayList` and such need not repeat their kind.
pub(super) fn read(
    document: &Document<'_>,
    api_version: Option<&String>,
    item_kind: &str,
    items: &[Loose<Head>],
) -> Vec<Entry> {
    let nothing = Head::default();
    let heads: Vec<_> = items.iter().map(|item| item.get().unwrap_or(&nothing)).collect();
    let announced: Vec<_> = heads
        .iter()
        .map(|head| match (head.kind.get(), api_version) {
            (None, Some(api_version)) if !item_kind.is_empty() => announced(api_version, item_kind),
            (Some(kind), _) if is_list(kind) && head.items.get().is_some() => {
                Announced::Unreadable(
                    "is a list inside a list; put its items into the outer one".to_owned(),
                )
            }
            _ => head.announced(),
        })
        .collect();
    let kinds: BTreeMap<_, _> = announced
        .iter()
        .enumerate()
        .filter_map(|(index, announced)| match announced {
            Announced::Ours(kind, _) => Some((index, *kind)),
            Announced::Foreign(_) | Announced::Unreadable(_) => None,
        })
        .collect();
    let mut read = read_items(document, &kinds);
    announced
        .into_iter()
        .enumerate()
        .map(|(index, announced)| {
            let prefix = format!("items[{index}]");
            let (key, content) = match announced {
                Announced::Foreign(what) => (None, Content::Foreign(what)),
                Announced::Unreadable(message) => {
                    (None, Content::Faulty(vec![at_field(document, &prefix, "", None, message)]))
                }
                Announced::Ours(kind, version) => {
                    let key = heads[index].key(kind);
                    match read.remove(&index) {
                        Some(Ok(Item { object, unknown })) => (
                            Some(object.key()),
                            check(document, &prefix, object, &version, &unknown),
                        ),
                        Some(Err(fault)) => {
                            let field = fault.field.strip_prefix(&format!("{prefix}."));
                            let field = field.unwrap_or_default().to_owned();
                            let fault = Fault { field, object: key.clone(), ..fault };
                            (key, Content::Faulty(vec![fault]))
                        }
                        None => {
                            let message = "cannot be read".to_owned();
                            let fault = at_field(document, &prefix, "", key.clone(), message);
                            (key, Content::Faulty(vec![fault]))
                        }
                    }
                }
            };
            Entry { line: document.line, key, content }
        })
        .collect()
}

/// Whether objects of ours may be in it. Others may have kinds that merely end like a list.
fn is_list(kind: &str) -> bool {
    kind.strip_suffix("List").is_some_and(|item| {
        item.is_empty() || ObjectKind::ALL.iter().any(|kind| kind.as_str() == item)
    })
}

struct Item {
    object: Object,
    unknown: Vec<String>,
}

/// Reads all items of ours. An error ends a reading, so each bad item costs one more, without it.
fn read_items(
    document: &Document<'_>,
    kinds: &BTreeMap<usize, ObjectKind>,
) -> BTreeMap<usize, Result<Item, Fault>> {
    let mut bad = BTreeMap::new();
    loop {
        let mut reading = Reading {
            kinds,
            skip: bad.keys().copied().collect(),
            current: 0,
            items: BTreeMap::new(),
        };
        let deserializer = serde_yaml::Deserializer::from_str(document.text);
        match ListSeed(&mut reading).deserialize(deserializer) {
            Ok(()) => {
                let good = reading.items.into_iter().map(|(index, item)| (index, Ok(item)));
                return good
                    .chain(bad.into_iter().map(|(index, fault)| (index, Err(fault))))
                    .collect();
            }
            Err(error) => {
                let mut fault = Fault::from_yaml(&error, None, 1);
                fault.line += document.line - 1;
                if bad.insert(reading.current, fault.clone()).is_some() {
                    // Passing over the item did not help. What has not been read stays unread.
                    let mut items: BTreeMap<_, _> =
                        kinds.keys().map(|index| (*index, Err(fault.clone()))).collect();
                    items.extend(bad.into_iter().map(|(index, fault)| (index, Err(fault))));
                    items.extend(reading.items.into_iter().map(|(index, item)| (index, Ok(item))));
                    return items;
                }
            }
        }
    }
}

struct Reading<'a> {
    kinds: &'a BTreeMap<usize, ObjectKind>,
    skip: BTreeSet<usize>,
    current: usize,
    items: BTreeMap<usize, Item>,
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
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        let mut unknown = Vec::new();
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(written(&path));
        let object =
            self.0.deserialize(serde_ignored::Deserializer::new(deserializer, &mut note))?;
        Ok(Item { object, unknown })
    }
}
