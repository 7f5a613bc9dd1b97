//! PartialObjectMetadata (`meta.k8s.io/v1`): objects without their contents.

use serde_json::{Value, json};

const API_VERSION: &str = "meta.k8s.io/v1";

/// Returns the metadata of an object as a PartialObjectMetadata.
pub fn partial_object(object: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
    json!({"kind": "PartialObjectMetadata", "apiVersion": API_VERSION, "metadata": metadata})
}

/// Returns the metadata of objects as a PartialObjectMetadataList, with the metadata of the list.
pub fn partial_object_list<'a>(
    objects: impl IntoIterator<Item = &'a Value>,
    list_metadata: Value,
) -> Value {
    let items: Vec<_> = objects.into_iter().map(partial_object).collect();
    json!({
        "kind": "PartialObjectMetadataList",
        "apiVersion": API_VERSION,
        "metadata": list_metadata,
        "items": items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_left_out() {
        let object = json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"b": "c"}});
        let expected = json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"name": "a"},
        });
        assert_eq!(partial_object(&object), expected);
        let list = partial_object_list([&object], json!({"resourceVersion": "1"}));
        assert_eq!(list["kind"], "PartialObjectMetadataList");
        assert_eq!(list["items"], json!([expected]));
        assert_eq!(list["metadata"]["resourceVersion"], "1");
    }
}
