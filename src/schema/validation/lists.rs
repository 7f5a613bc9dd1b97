//! Uniqueness of the items of lists (`x-kubernetes-list-type`).

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::schema::cause::Cause;
use crate::schema::causes::Causes;
use crate::schema::field_path::FieldPath;
use crate::schema::node::{ListType, Schema};

/// Returns a cause for each item that repeats another one.
pub(super) fn validate(value: &Value, schema: &Schema) -> Causes {
    let mut causes = Causes::default();
    check(value, schema, FieldPath::ROOT, &mut causes);
    causes
}

fn check(value: &Value, schema: &Schema, path: FieldPath<'_>, causes: &mut Causes) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(child) = schema.properties.get(name) {
                    check(value, child, path.field(name), causes);
                } else if let Some(child) = &schema.entries {
                    check(value, child, path.key(name), causes);
                }
            }
        }
        Value::Array(items) => {
            match &schema.list_type {
                ListType::Atomic => {}
                ListType::Set => check_unique(items, Value::clone, &path, causes),
                ListType::Map(keys) => check_map(items, keys, &path, causes),
            }
            if let Some(child) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    check(item, child, path.index(index), causes);
                }
            }
        }
        _ => {}
    }
}

/// Reports the second item with a key. Further ones would repeat the same cause.
fn check_unique(
    items: &[Value],
    key: impl Fn(&Value) -> Value,
    path: &FieldPath<'_>,
    causes: &mut Causes,
) {
    let mut counts = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let key = key(item);
        let count = counts.entry(key.to_string()).or_insert(0_usize);
        *count += 1;
        if *count == 2 {
            causes.push(|| Cause::duplicate(&path.index(index), &key));
        }
    }
}

fn check_map(items: &[Value], keys: &[String], path: &FieldPath<'_>, causes: &mut Causes) {
    let is_other = |item: &Value| !item.is_object() && !item.is_null();
    if let Some(index) = items.iter().position(is_other) {
        let detail = "must be an object for an array of list-type map";
        causes.push(|| Cause::invalid(&path.index(index), &items[index], detail));
    } else {
        check_unique(items, |item| map_key(item, keys), path, causes);
    }
}

fn map_key(item: &Value, keys: &[String]) -> Value {
    let present = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
    present.collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;

    #[test]
    fn second_item_with_the_same_key_is_reported() {
        let (_, gateway) = find_kind("gateway.networking.k8s.io", "v1", "Gateway").unwrap();
        let listeners = ["a", "b", "a", "a"].map(|name| json!({"name": name}));
        let causes = validate(&json!({"spec": {"listeners": listeners}}), gateway.schema());
        let texts: Vec<_> = causes.iter().map(Cause::to_string).collect();
        assert_eq!(texts, [r#"spec.listeners[2]: Duplicate value: {"name":"a"}"#]);
    }

    #[test]
    fn items_of_maps_are_objects() {
        let (_, gateway) = find_kind("gateway.networking.k8s.io", "v1", "Gateway").unwrap();
        let causes = validate(&json!({"spec": {"listeners": [{}, 5, {}, 6]}}), gateway.schema());
        let texts: Vec<_> = causes.iter().map(Cause::to_string).collect();
        let expected =
            "spec.listeners[1]: Invalid value: 5: must be an object for an array of list-type map";
        assert_eq!(texts, [expected]);
    }

    #[test]
    fn built_in_lists_may_repeat_keys() {
        let (_, service) = find_kind("", "v1", "Service").unwrap();
        let port = json!({"port": 53, "protocol": "TCP"});
        assert!(validate(&json!({"spec": {"ports": [port, port]}}), service.schema()).is_empty());
    }

    #[test]
    fn sets_have_distinct_items() {
        let schema = Schema { list_type: ListType::Set, ..Schema::default() };
        let causes = validate(&json!(["a", "b", "a"]), &schema);
        let messages: Vec<_> = causes.iter().map(|cause| cause.message.as_str()).collect();
        assert_eq!(messages, [r#"Duplicate value: "a""#]);
    }
}
