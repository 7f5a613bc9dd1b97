//! Defaults of the schema.

use serde_json::Value;

use crate::schema::node::{Schema, ValueType};

/// Sets absent fields to their defaults. A `null` that the schema does not allow counts as absent.
pub(super) fn apply(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            let is_absent = |value: &Value, schema: &Schema| value.is_null() && !schema.is_nullable;
            let is_text =
                schema.entries.as_ref().is_some_and(|one| one.value_type == ValueType::String);
            if is_text {
                // Decoding into a map of strings turns `null` into an empty string.
                map.values_mut()
                    .filter(|value| value.is_null())
                    .for_each(|value| *value = "".into());
            }
            map.retain(|name, value| {
                !schema.child(name).is_some_and(|child| is_absent(value, child))
            });
            for (name, child) in &schema.properties {
                if let (Some(default), false) = (&child.default, map.contains_key(name)) {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map {
                if let Some(child) = schema.child(name) {
                    apply(value, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(child) = &schema.items {
                for item in items {
                    if let (Value::Null, false, Some(default)) =
                        (&item, child.is_nullable, &child.default)
                    {
                        *item = default.clone();
                    }
                    apply(item, child);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::apply_defaults;
    use crate::schema::find_kind;

    fn with_defaults(kind: &str, version: &str, mut object: Value) -> Value {
        let (resource, version) = find_kind("gateway.networking.k8s.io", version, kind).unwrap();
        apply_defaults(&mut object, resource, version);
        object
    }

    #[test]
    fn absent_fields_get_the_defaults_of_the_definition() {
        let route = json!({
            "spec": {"parentRefs": [{"name": "g"}], "rules": [{"backendRefs": [{"name": "s", "weight": null}]}]},
        });
        for version in ["v1", "v1alpha2"] {
            let route = with_defaults("TCPRoute", version, route.clone());
            let expected = json!({
                "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}],
                "rules": [{"backendRefs": [{"group": "", "kind": "Service", "name": "s", "weight": 1}]}],
            });
            assert_eq!(route["spec"], expected);
        }
    }

    #[test]
    fn defaults_are_nested_in_defaults() {
        let gateway = json!({"spec": {"listeners": [{"name": "a", "port": 1, "protocol": "TCP", "allowedRoutes": {}}]}});
        let gateway = with_defaults("Gateway", "v1", gateway);
        let expected = json!({"namespaces": {"from": "Same"}});
        assert_eq!(gateway["spec"]["listeners"][0]["allowedRoutes"], expected);
        let conditions = gateway["status"]["conditions"].as_array().unwrap();
        let types: Vec<_> = conditions.iter().map(|one| one["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["Accepted", "Programmed"]);
    }

    #[test]
    fn existing_fields_stay() {
        let gateway = json!({
            "metadata": {"name": "a", "annotations": {"a": null}, "creationTimestamp": null},
            "spec": {"listeners": [{"allowedRoutes": {"namespaces": {"from": "All", "selector": null}}}]},
            "status": {},
            "other": null,
        });
        let gateway = with_defaults("Gateway", "v1", gateway);
        let namespaces = &gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"];
        assert_eq!(namespaces, &json!({"from": "All"}));
        assert_eq!(gateway["metadata"], json!({"name": "a", "annotations": {"a": ""}}));
        assert!(gateway.get("other").is_some(), "pruning reports unknown fields");
    }

    #[test]
    fn defaults_are_stable() {
        let gateway = json!({"spec": {"listeners": [{"name": "a", "tls": {}}], "addresses": [{}]}});
        let once = with_defaults("Gateway", "v1", gateway);
        assert_eq!(with_defaults("Gateway", "v1", once.clone()), once);
    }
}
