//! Directives of a strategic merge patch.

use serde_json::{Map, Value};

/// Directive of a map or of an item of a list: `merge`, `replace` or `delete`.
pub(super) const PATCH: &str = "$patch";
/// Directive of a map: the fields that stay.
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
/// Prefix of a directive: items to remove from the list of strings or numbers after it.
pub(super) const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
/// Prefix of a directive: the order of the items of the list after it.
pub(super) const ELEMENT_ORDER: &str = "$setElementOrder/";

/// Removes directives and `null` from a value that is new. `None` if a directive deletes it.
pub(super) fn clean(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => {
            (map[PATCH] != "delete").then(|| clean_map(map).into())
        }
        Value::Object(map) => Some(clean_map(map).into()),
        Value::Array(items) => {
            let items = items.into_iter().filter(|item| item.get(PATCH).is_none());
            Some(items.filter_map(clean).collect())
        }
        other => Some(other),
    }
}

/// Removes directives and `null` from a map that is new.
pub(super) fn clean_map(map: Map<String, Value>) -> Map<String, Value> {
    let is_directive = |name: &str| {
        [PATCH, RETAIN_KEYS].contains(&name)
            || name.starts_with(DELETE_FROM_LIST)
            || name.starts_with(ELEMENT_ORDER)
    };
    let fields = map.into_iter().filter(|(name, value)| !value.is_null() && !is_directive(name));
    fields.filter_map(|(name, value)| Some((name, clean(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn new_values_lose_their_directives() {
        let value = json!({
            "a": null,
            "b": [{"$patch": "delete", "c": 1}, {"$patch": "replace"}, {"c": {"$patch": "replace", "d": 2}}, null],
            "$retainKeys": ["b"],
            "$setElementOrder/b": [],
            "$deleteFromPrimitiveList/d": [],
            "$other": {"$patch": "delete"},
        });
        assert_eq!(clean(value), Some(json!({"b": [{"c": {"d": 2}}, null]})));
        assert_eq!(clean(json!({"$patch": "delete"})), None);
        assert_eq!(clean(json!(5)), Some(json!(5)));
    }
}
