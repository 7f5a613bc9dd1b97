//! Defaults that Kubernetes sets in code, because they depend on other fields.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::fields::{existing, items, object, set_absent, set_default};
use super::{deployment, service};

/// Label of a Namespace with its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Sets the defaults of a built-in kind.
pub(super) fn apply(object: &mut Value, group: &str, kind: &str) {
    let Some(object) = object.as_object_mut() else { return };
    match (group, kind) {
        ("", "Service") => service::apply(object),
        ("", "Namespace") => namespace(object),
        ("", "Secret") => secret(object),
        ("apps", "Deployment") => deployment::apply(object),
        ("discovery.k8s.io", "EndpointSlice") => endpoint_slice(object),
        _ => {}
    }
}

fn namespace(namespace: &mut Map<String, Value>) {
    if let Some(metadata) = existing(namespace, "metadata") {
        let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        // The name of an object with `generateName` is not known yet.
        if !name.is_empty()
            && let Some(labels) = object(metadata, "labels")
        {
            labels.insert(NAMESPACE_NAME.into(), name.into());
        }
    }
    if let Some(status) = object(namespace, "status") {
        set_default(status, "phase", "Active");
    }
}

/// Sets the type, and moves the texts of the write-only field `stringData` to `data`.
fn secret(secret: &mut Map<String, Value>) {
    set_default(secret, "type", "Opaque");
    let is_text_map = |map: &Map<String, Value>| map.values().all(Value::is_string);
    if let Some(Value::Object(texts)) = secret.get("stringData") {
        // Validation reports an entry that is not a string.
        if !is_text_map(texts) {
            return;
        }
        let texts = texts.clone();
        secret.remove("stringData");
        if let Some(data) = object(secret, "data") {
            let encoded = texts.into_iter().map(|(key, text)| {
                (key, STANDARD.encode(text.as_str().unwrap_or_default()).into())
            });
            data.extend(encoded);
        }
    }
}

fn endpoint_slice(slice: &mut Map<String, Value>) {
    for port in items(slice, "ports") {
        set_absent(port, "name", "");
        set_absent(port, "protocol", "TCP");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::apply_defaults;
    use crate::schema::find_kind;

    fn with_defaults(group: &str, kind: &str, mut object: Value) -> Value {
        let (resource, version) = find_kind(group, "v1", kind).unwrap();
        apply_defaults(&mut object, resource, version);
        object
    }

    #[test]
    fn namespace_has_a_label_with_its_name() {
        let namespace = with_defaults("", "Namespace", json!({"metadata": {"name": "a"}}));
        assert_eq!(namespace["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "a"}));
        assert_eq!(namespace["status"]["phase"], "Active");
        let namespace = with_defaults("", "Namespace", json!({"metadata": {"generateName": "a"}}));
        assert!(namespace["metadata"].get("labels").is_none());
    }

    #[test]
    fn secret_stores_its_texts_as_base64() {
        let secret =
            json!({"data": {"a": "eA==", "b": "eA=="}, "stringData": {"b": "user", "c": ""}});
        let secret = with_defaults("", "Secret", secret);
        let expected = json!({"data": {"a": "eA==", "b": "dXNlcg==", "c": ""}, "type": "Opaque"});
        assert_eq!(secret, expected);
        let secret = json!({"stringData": {"b": 5}, "type": "x"});
        assert_eq!(with_defaults("", "Secret", secret.clone()), secret);
    }

    #[test]
    fn slice_ports_have_a_name_and_a_protocol() {
        let slice = json!({"ports": [{"port": 80}, {"name": null, "protocol": "UDP"}]});
        let slice = with_defaults("discovery.k8s.io", "EndpointSlice", slice);
        let expected = json!([
            {"name": "", "port": 80, "protocol": "TCP"},
            {"name": "", "protocol": "UDP"},
        ]);
        assert_eq!(slice["ports"], expected);
    }
}
