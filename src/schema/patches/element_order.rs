//! Strategic merge patch: the order of lists.
//!
//! Items of the patch are in the order of the patch, or of the directive `$setElementOrder`. Other
//! items keep their order, and their place relative to the items of the patch as far as possible.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::directives::PATCH;
use super::error::PatchError;

/// Positions of the items of a list by their keys.
type Positions = HashMap<String, usize>;

/// Returns a list in an order. `live` is the list before the patch.
///
/// # Errors
/// Returns an error if an item does not contain the merge key.
pub(super) fn order_items(
    list: &str,
    items: Vec<Value>,
    order: &[Value],
    live: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, PatchError> {
    let order = positions(list, order, key)?;
    let live = positions(list, live, key)?;
    let mut wanted = Vec::new();
    let mut others = Vec::new();
    for item in items {
        let key = identity(list, &item, key)?;
        let place = live.get(&key).copied();
        match order.get(&key) {
            Some(position) => wanted.push((*position, place, item)),
            None => others.push((place.unwrap_or(usize::MAX), place, item)),
        }
    }
    wanted.sort_by_key(|(position, ..)| *position);
    others.sort_by_key(|(position, ..)| *position);
    let mut ordered = Vec::new();
    let mut others = others.into_iter().peekable();
    for (_, wanted_place, item) in wanted {
        // Another item stays before an item of the order only if it was before it.
        let is_before = |other: &(usize, Option<usize>, Value)| {
            other.1.zip(wanted_place).is_some_and(|(other, wanted)| other < wanted)
        };
        while let Some((.., other)) = others.next_if(|other| is_before(other)) {
            ordered.push(other);
        }
        ordered.push(item);
    }
    ordered.extend(others.map(|(.., item)| item));
    Ok(ordered)
}

/// Checks that the items of a patch are part of an order, and in this order.
pub(super) fn check_order(
    list: &str,
    patch: &Value,
    order: &[Value],
    key: Option<&str>,
) -> Result<(), PatchError> {
    let positions = positions(list, order, key)?;
    let mut last = None;
    for item in patch.as_array().into_iter().flatten() {
        if item.get(PATCH).is_some() {
            continue;
        }
        let position = positions.get(&identity(list, item, key)?).copied();
        if position.is_none() || last > position {
            return Err(PatchError::Directive {
                directive: format!("$setElementOrder/{list}"),
                expected: "each item of the patch, in the order of the patch",
            });
        }
        last = position;
    }
    Ok(())
}

/// Returns the merge key of an object as text.
pub(super) fn item_key(
    list: &str,
    item: &Map<String, Value>,
    key: &str,
) -> Result<String, PatchError> {
    item.get(key)
        .map(Value::to_string)
        .ok_or_else(|| PatchError::NoMergeKey { list: list.to_owned(), merge_key: key.to_owned() })
}

fn positions(list: &str, items: &[Value], key: Option<&str>) -> Result<Positions, PatchError> {
    let mut positions = Positions::new();
    for (index, item) in items.iter().enumerate() {
        positions.entry(identity(list, item, key)?).or_insert(index);
    }
    Ok(positions)
}

fn identity(list: &str, item: &Value, key: Option<&str>) -> Result<String, PatchError> {
    match (item, key) {
        (Value::Object(item), Some(key)) => item_key(list, item, key),
        (item, _) => Ok(item.to_string()),
    }
}
