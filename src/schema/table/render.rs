//! Renders objects as a table.

use serde_json::{Value, json};

use super::partial_object::partial_object;
use crate::model::Timestamp;
use crate::schema::resource::ServedVersion;

/// Contents of the field `object` of the rows: the parameter `includeObject` of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowObject {
    /// No object.
    None,
    /// The metadata of the object.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

impl RowObject {
    /// Parses the parameter `includeObject`; `None` if it has another value.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "None" => Some(Self::None),
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// Settings of [`table`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TableOptions {
    /// Time to which ages refer.
    pub now: Timestamp,
    /// Contents of the field `object` of the rows.
    pub row_object: RowObject,
    /// The table has column definitions. In a watch, only the first table has them.
    pub has_headers: bool,
}

impl TableOptions {
    /// Returns the settings of a request without parameters.
    pub fn new(now: Timestamp) -> Self {
        Self { now, row_object: RowObject::default(), has_headers: true }
    }
}

/// Returns a table of objects, with the metadata of the list (`resourceVersion`, `continue`).
///
/// The objects have the fields `apiVersion` and `kind` of the version.
pub fn table<'a>(
    version: &ServedVersion,
    objects: impl IntoIterator<Item = &'a Value>,
    list_metadata: Value,
    options: TableOptions,
) -> Value {
    let definitions = version.columns.iter().map(|column| column.definition());
    let definitions: Vec<_> = definitions.filter(|_| options.has_headers).collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata,
        "columnDefinitions": definitions,
        "rows": objects
            .into_iter()
            .map(|object| table_row(version, object, options))
            .collect::<Vec<_>>(),
    })
}

/// Returns the row of an object in a [`table`].
pub fn table_row(version: &ServedVersion, object: &Value, options: TableOptions) -> Value {
    let cells = version.columns.iter().map(|column| column.cell(object, options.now));
    let cells: Vec<_> = cells.collect();
    let object = match options.row_object {
        RowObject::None => Value::Null,
        RowObject::Metadata => partial_object(object),
        RowObject::Object => object.clone(),
    };
    json!({"cells": cells, "object": object})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource_table::{find_kind, resources};

    fn render(group: &str, kind: &str, object: &Value, options: TableOptions) -> Value {
        let (_, version) = find_kind(group, "v1", kind).unwrap();
        table(version, [object], json!({"resourceVersion": "7"}), options)
    }

    fn options() -> TableOptions {
        TableOptions::new("2026-01-01T00:01:00Z".parse().unwrap())
    }

    fn gateway() -> Value {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"gatewayClassName": "c"},
            "status": {
                "addresses": [{"value": "10.0.0.1"}],
                "conditions": [{"type": "Programmed", "status": "True"}],
            },
        })
    }

    #[test]
    fn gateway_shows_class_address_programmed_and_age() {
        let table = render("gateway.networking.k8s.io", "Gateway", &gateway(), options());
        let names: Vec<_> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["Name", "Class", "Address", "Programmed", "Age"]);
        assert_eq!(table["rows"][0]["cells"], json!(["a", "c", "10.0.0.1", "True", "60s"]));
        assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(
            (&table["kind"], &table["apiVersion"]),
            (&json!("Table"), &json!("meta.k8s.io/v1"))
        );
        assert_eq!(table["metadata"], json!({"resourceVersion": "7"}));
    }

    #[test]
    fn rows_contain_the_requested_object() {
        let object = |row_object| {
            let options = TableOptions { row_object, ..options() };
            let table = render("gateway.networking.k8s.io", "Gateway", &gateway(), options);
            table["rows"][0]["object"].clone()
        };
        assert_eq!(object(RowObject::None), Value::Null);
        assert_eq!(object(RowObject::Object), gateway());
        assert_eq!(RowObject::parse(""), Some(RowObject::Metadata));
        assert_eq!(RowObject::parse("None"), Some(RowObject::None));
        assert_eq!(RowObject::parse("Object"), Some(RowObject::Object));
        assert_eq!(RowObject::parse("object"), None);
    }

    #[test]
    fn later_tables_of_a_watch_have_no_definitions() {
        let options = TableOptions { has_headers: false, ..options() };
        let table = render("", "Namespace", &json!({"status": {"phase": "Active"}}), options);
        assert_eq!(table["columnDefinitions"], json!([]));
        assert_eq!(table["rows"][0]["cells"], json!([null, "Active", "<unknown>"]));
    }

    #[test]
    fn every_kind_has_a_name_and_cells_for_an_empty_object() {
        for resource in resources() {
            for version in resource.versions() {
                let table = table(version, [&json!({})], json!({}), options());
                let columns = table["columnDefinitions"].as_array().unwrap();
                assert_eq!(columns.iter().filter(|one| one["format"] == "name").count(), 1);
                assert_eq!(table["rows"][0]["cells"].as_array().unwrap().len(), columns.len());
            }
        }
    }
}
