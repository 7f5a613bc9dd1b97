//! Removes unknown fields, which the schema does not have.

use serde_json::Value;

use super::field_path::FieldPath;
use super::field_paths::FieldPaths;
use super::node::Schema;
use super::resource::ServedVersion;

/// Removes the unknown fields of an object. Returns the paths of the first 100 that it finds, each
/// of at most 256 bytes, in alphabetical order. A last text stands for further ones.
pub fn prune(object: &mut Value, version: &ServedVersion) -> Vec<String> {
    let mut found = FieldPaths::default();
    prune_value(object, version.schema(), FieldPath::ROOT, &mut found);
    found.sort();
    found.into_list()
}

fn prune_value(value: &mut Value, schema: &Schema, path: FieldPath<'_>, found: &mut FieldPaths) {
    match value {
        Value::Object(map) => map.retain(|name, value| match schema.child(name) {
            Some(child) => {
                prune_value(value, child, path.field(name), found);
                true
            }
            None if schema.keeps_unknown_fields => true,
            None => {
                found.add(path.field(name));
                false
            }
        }),
        Value::Array(items) => {
            if let Some(child) = &schema.items {
                for (index, item) in items.iter_mut().enumerate() {
                    prune_value(item, child, path.index(index), found);
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
    use crate::schema::find_kind;

    fn unknown(group: &str, kind: &str, object: &mut Value) -> Vec<String> {
        prune(object, find_kind(group, "v1", kind).unwrap().1)
    }

    #[test]
    fn unknown_fields_are_removed_and_reported() {
        let mut gateway = json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "a", "namepsace": "b", "labels": {"x": "y"}},
            "spec": {"listeners": [{"name": "a"}, {"nmae": {"deep": 1}}]},
            "extra": {},
        });
        let found = unknown("gateway.networking.k8s.io", "Gateway", &mut gateway);
        assert_eq!(found, ["extra", "metadata.namepsace", "spec.listeners[1].nmae"]);
        assert_eq!(gateway["spec"]["listeners"], json!([{"name": "a"}, {}]));
        assert_eq!(gateway["metadata"], json!({"name": "a", "labels": {"x": "y"}}));
        let found = unknown("gateway.networking.k8s.io", "Gateway", &mut gateway);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn many_unknown_fields_have_one_text() {
        let fields = vec![json!({"a": 0}); 300_000];
        let mut map = json!({"metadata": {"ownerReferences": fields}});
        let found = unknown("", "ConfigMap", &mut map);
        assert_eq!((found.len(), found[100].as_str()), (101, "… and further fields"));
        assert_eq!(map["metadata"]["ownerReferences"][299_999], json!({}));
    }

    #[test]
    fn maps_and_free_objects_keep_their_entries() {
        let mut config = json!({
            "metadata": {"managedFields": [{"fieldsV1": {"f:data": {"f:a": {}}}, "x": 1}]},
            "data": {"any": "x"},
        });
        let found = unknown("", "ConfigMap", &mut config);
        assert_eq!(found, ["metadata.managedFields[0].x"]);
        assert_eq!(config["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]["f:a"], json!({}));
        assert_eq!(config["data"], json!({"any": "x"}));
    }

    #[test]
    fn deployment_is_known_to_its_depth() {
        let container = json!({"name": "a", "resources": {"limits": {"cpu": "1"}}, "imag": "x"});
        let mut deployment = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let found = unknown("apps", "Deployment", &mut deployment);
        assert_eq!(found, ["spec.template.spec.containers[0].imag"]);
    }
}
