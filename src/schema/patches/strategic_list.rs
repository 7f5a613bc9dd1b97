//! Strategic merge patch: merging lists.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::directives::{PATCH, clean};
use super::element_order::{item_key, order_items};
use super::error::PatchError;
use crate::schema::node::Schema;

/// Merge of a patch into a list.
pub(super) struct ListMerge<'a> {
    /// Name of the list, for errors.
    pub(super) name: &'a str,
    /// Field that identifies an object of the list.
    pub(super) key: Option<&'a str>,
    pub(super) item_schema: Option<&'a Schema>,
    /// Merges a patch into an item.
    pub(super) merge_item: MergeItem,
}

type MergeItem =
    fn(&mut Map<String, Value>, Map<String, Value>, Option<&Schema>) -> Result<(), PatchError>;

/// Directives of the items of a patch.
struct Directives {
    /// The items of the patch without directives.
    items: Vec<Map<String, Value>>,
    /// Keys of the items to delete.
    deleted: HashSet<String>,
    replaces_list: bool,
}

impl ListMerge<'_> {
    pub(super) fn merge(
        &self,
        live: Vec<Value>,
        patch: Vec<Value>,
    ) -> Result<Vec<Value>, PatchError> {
        let objects = live.iter().chain(&patch).filter(|item| item.is_object()).count();
        let has_lists = live.iter().chain(&patch).any(Value::is_array);
        match objects {
            0 if !has_lists => self.merge_scalars(live, patch),
            count if count == live.len() + patch.len() => self.merge_objects(live, patch),
            _ => Err(PatchError::MixedList(self.name.to_owned())),
        }
    }

    fn merge_scalars(&self, live: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>, PatchError> {
        let mut seen = HashSet::new();
        let all = live.iter().chain(&patch).filter(|item| seen.insert(item.to_string()));
        let merged: Vec<_> = all.cloned().collect();
        order_items(self.name, merged, &patch, &live, None)
    }

    fn merge_objects(&self, live: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>, PatchError> {
        let Some(key) = self.key else {
            return Err(PatchError::NoMergeKey {
                list: self.name.to_owned(),
                merge_key: String::new(),
            });
        };
        let Directives { items: patch, deleted, replaces_list } = self.split(patch, key)?;
        if replaces_list {
            return Ok(patch.into_iter().filter_map(|item| clean(item.into())).collect());
        }
        let order: Vec<Value> = patch.iter().map(|item| item.clone().into()).collect();
        let mut merged = Vec::new();
        let mut positions = HashMap::new();
        for item in live.iter().cloned() {
            let found = item.get(key).map(Value::to_string);
            if found.as_ref().is_some_and(|found| deleted.contains(found)) {
                continue;
            }
            if let Some(found) = found {
                positions.entry(found).or_insert(merged.len());
            }
            merged.push(item);
        }
        for item in patch {
            let found = item_key(self.name, &item, key)?;
            match positions.get(&found).and_then(|position| merged.get_mut(*position)) {
                Some(Value::Object(object)) => (self.merge_item)(object, item, self.item_schema)?,
                _ => {
                    if let Some(item) = clean(item.into()) {
                        positions.insert(found, merged.len());
                        merged.push(item);
                    }
                }
            }
        }
        order_items(self.name, merged, &order, &live, Some(key))
    }

    /// Splits the items of a patch by their directive.
    fn split(&self, patch: Vec<Value>, key: &str) -> Result<Directives, PatchError> {
        let mut found =
            Directives { items: Vec::new(), deleted: HashSet::new(), replaces_list: false };
        for item in patch {
            let Value::Object(item) = item else { continue };
            match item.get(PATCH) {
                None => found.items.push(item),
                Some(directive) if directive == "delete" => {
                    found.deleted.insert(item_key(self.name, &item, key)?);
                }
                Some(directive) if directive == "replace" => found.replaces_list = true,
                Some(_) => {
                    let expected = "`replace` or `delete` in an item of a list";
                    return Err(PatchError::Directive { directive: PATCH.to_owned(), expected });
                }
            }
        }
        Ok(found)
    }
}

/// Removes strings and numbers from a list.
pub(super) fn remove_items(items: &mut Vec<Value>, removed: &[Value]) {
    let removed: HashSet<_> = removed.iter().map(Value::to_string).collect();
    items.retain(|item| !removed.contains(&item.to_string()));
}
