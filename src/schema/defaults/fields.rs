//! Access to the fields of an object, for defaults.

use serde_json::{Map, Value};

/// Sets a field that is absent or has the zero value of its type.
pub(super) fn set_default(map: &mut Map<String, Value>, field: &str, default: impl Into<Value>) {
    let is_unset = match map.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    };
    if is_unset {
        map.insert(field.into(), default.into());
    }
}

/// Sets a field that is absent. A zero value stays: the field is optional in Kubernetes.
pub(super) fn set_absent(map: &mut Map<String, Value>, field: &str, default: impl Into<Value>) {
    map.entry(field).or_insert_with(|| default.into());
}

/// Returns a field that is an object; an absent field is created.
pub(super) fn object<'a>(
    map: &'a mut Map<String, Value>,
    field: &str,
) -> Option<&'a mut Map<String, Value>> {
    map.entry(field).or_insert_with(|| Map::new().into()).as_object_mut()
}

/// Returns a field that is an object, if it exists.
pub(super) fn existing<'a>(
    map: &'a mut Map<String, Value>,
    field: &str,
) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(field)?.as_object_mut()
}

/// Returns the objects in a list.
pub(super) fn items<'a>(
    map: &'a mut Map<String, Value>,
    field: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = map.get_mut(field).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn zero_values_are_unset_or_absent() {
        let Value::Object(mut map) = json!({"a": "", "b": 0, "c": false, "d": null}) else {
            panic!()
        };
        for field in ["a", "b", "c", "d", "e"] {
            set_default(&mut map, field, "x");
        }
        assert_eq!(Value::from(map), json!({"a": "x", "b": "x", "c": false, "d": "x", "e": "x"}));
        let Value::Object(mut map) = json!({"a": 0}) else { panic!() };
        set_absent(&mut map, "a", 1);
        set_absent(&mut map, "b", 1);
        assert_eq!(Value::from(map), json!({"a": 0, "b": 1}));
    }

    #[test]
    fn fields_of_other_types_are_left_alone() {
        let Value::Object(mut map) = json!({"a": 5, "list": [1, {}]}) else { panic!() };
        assert!(object(&mut map, "a").is_none() && existing(&mut map, "b").is_none());
        assert!(object(&mut map, "b").is_some() && existing(&mut map, "b").is_some());
        assert_eq!(items(&mut map, "list").count(), 1);
        assert_eq!(items(&mut map, "a").count(), 0);
    }
}
