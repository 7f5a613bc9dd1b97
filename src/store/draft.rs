//! Objects of requests, and the texts of stored objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::WriteError;
use super::json_text::{value_text, write_key, write_object};
use super::stored_object::StoredObject;

/// Object under construction: metadata as a value, and the JSON texts of the other fields.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) metadata: Map<String, Value>,
    /// Fields except the metadata. Equal values have equal texts.
    pub(super) fields: BTreeMap<String, String>,
}

impl Draft {
    /// Splits the object of a request.
    pub(super) fn of_request(object: Value) -> Result<Self, WriteError> {
        let Value::Object(mut object) = object else {
            return Err(WriteError::invalid("", "an object is expected"));
        };
        let mut metadata = match object.remove("metadata") {
            Some(Value::Object(metadata)) => metadata,
            Some(Value::Null) | None => Map::new(),
            Some(_) => return Err(WriteError::invalid("metadata", "an object is expected")),
        };
        // Clients write absent fields as null, such as creationTimestamp.
        metadata.retain(|_, value| !value.is_null());
        for field in ["apiVersion", "kind"] {
            if !object.get(field).is_some_and(Value::is_string) {
                let field = if field == "kind" { "kind" } else { "apiVersion" };
                return Err(WriteError::invalid(field, "a string is expected"));
            }
        }
        let fields = object.iter().map(|(name, value)| (name.clone(), value_text(value)));
        Ok(Self { metadata, fields: fields.collect() })
    }

    /// Splits a stored object.
    pub(super) fn of_stored(object: &StoredObject) -> Self {
        let mut fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(object.text()).expect("the text is a JSON object");
        let metadata = fields.remove("metadata").expect("every object has metadata");
        let fields = fields.into_iter().map(|(name, value)| (name, value.get().to_owned()));
        Self {
            metadata: serde_json::from_str(metadata.get()).expect("the metadata is an object"),
            fields: fields.collect(),
        }
    }

    /// Returns the text of a stored object: `apiVersion`, `kind` and `metadata` come first.
    pub(super) fn text(&self) -> Arc<str> {
        const FIRST: [&str; 2] = ["apiVersion", "kind"];
        let mut text = String::from("{");
        let mut write = |name: &str, value: &str| {
            write_key(name, &mut text);
            text.push_str(value);
            text.push(',');
        };
        for name in FIRST {
            if let Some(value) = self.fields.get(name) {
                write(name, value);
            }
        }
        let mut metadata = String::new();
        write_object(&self.metadata, &mut metadata);
        write("metadata", &metadata);
        for (name, value) in &self.fields {
            if !FIRST.contains(&name.as_str()) {
                write(name, value);
            }
        }
        text.pop();
        text.push('}');
        text.into()
    }

    /// Returns the approximate number of bytes.
    pub(super) fn len(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.len());
        // The metadata is not serialized yet; this counts its largest strings.
        let texts =
            self.metadata.values().flat_map(|value| value.as_object().into_iter().flatten());
        let texts = texts.map(|(name, value)| name.len() + value.as_str().map_or(16, str::len));
        fields.sum::<usize>() + texts.sum::<usize>()
    }

    /// Returns a text of the metadata.
    pub(super) fn metadata_str(&self, field: &'static str) -> Result<Option<&str>, WriteError> {
        match self.metadata.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text).filter(|text| !text.is_empty()).map(|text| text.as_str()))
            }
            Some(_) => Err(WriteError::invalid(metadata_path(field), "a string is expected")),
        }
    }

    pub(super) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.metadata.insert(field.to_owned(), value.into());
    }

    /// Sets a field of the metadata to that of another draft, or removes it if it has none.
    pub(super) fn copy_metadata(&mut self, field: &str, from: &Self) {
        match from.metadata.get(field) {
            Some(value) => self.set(field, value.clone()),
            None => _ = self.metadata.remove(field),
        }
    }

    /// Sets a field to that of another draft, or removes it if it has none.
    pub(super) fn copy_field(&mut self, field: &str, from: &Self) {
        match from.fields.get(field) {
            Some(text) => _ = self.fields.insert(field.to_owned(), text.clone()),
            None => _ = self.fields.remove(field),
        }
    }

    /// Returns `true` if the drafts differ in more than `metadata` and `status`.
    pub(super) fn has_other_spec(&self, other: &Self) -> bool {
        fn spec(draft: &Draft) -> impl Iterator<Item = (&String, &String)> {
            draft.fields.iter().filter(|(name, _)| *name != "status")
        }
        spec(self).ne(spec(other))
    }
}

fn metadata_path(field: &'static str) -> &'static str {
    match field {
        "name" => "metadata.name",
        "generateName" => "metadata.generateName",
        "namespace" => "metadata.namespace",
        "uid" => "metadata.uid",
        "resourceVersion" => "metadata.resourceVersion",
        _ => "metadata",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn draft_has_metadata_after_kind() {
        let object = json!({
            "data": {"metadata": {"a": "\"metadata\":{"}}, "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": {"name": "a", "creationTimestamp": null}, "z": [1],
        });
        let text = Draft::of_request(object).unwrap().text();
        let expected = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"metadata":{"a":"\"metadata\":{"}},"z":[1]}"#;
        assert_eq!(&*text, expected);
    }

    #[test]
    fn draft_without_kind_is_invalid() {
        for object in [json!([]), json!({"kind": "A"}), json!({"apiVersion": "v1", "kind": 1})] {
            Draft::of_request(object.clone()).expect_err(&object.to_string());
        }
    }
}
