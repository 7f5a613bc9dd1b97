//! The item of a list that another one replaces.

use serde_json::Value;

use crate::schema::node::ListType;

/// Finds the item that another one replaces. Only the items of maps have an identity.
pub(super) fn find_old<'a>(
    item: &Value,
    old: &'a Value,
    list_type: &ListType,
) -> Option<&'a Value> {
    let ListType::Map(keys) = list_type else { return None };
    let is_same = |old: &&Value| keys.iter().all(|key| old[key] == item[key]);
    old.as_array()?.iter().find(is_same)
}
