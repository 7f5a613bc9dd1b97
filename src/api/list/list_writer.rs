//! Writes a list in the form that was negotiated.

use serde_json::{Value, json};

use crate::api::negotiation::{Encoding, Form, Shape};
use crate::api::request::ResourceRequest;
use crate::api::served_object::{served_value, write_served};
use crate::api::yaml_text::{yaml_item, yaml_text};
use crate::schema::{TableOptions, partial_object, partial_object_list, table, table_row};
use crate::store::StoredObject;

/// Writer of a list. Its elements are the last field, so that at most one of them is a [`Value`] at
/// a time.
#[derive(Debug)]
pub(super) struct ListWriter {
    request: ResourceRequest,
    form: Form,
    table_options: TableOptions,
    is_empty: bool,
}

impl ListWriter {
    pub(super) fn new(request: &ResourceRequest, form: Form, table_options: TableOptions) -> Self {
        Self { request: request.clone(), form, table_options, is_empty: true }
    }

    /// Writes the fields before the elements.
    pub(super) fn write_start(&self, metadata: Value, out: &mut Vec<u8>) {
        let ResourceRequest { resource, version, .. } = &self.request;
        let no_objects: [&Value; 0] = [];
        let (mut list, elements) = match self.form.shape {
            Shape::Object | Shape::PartialObject | Shape::Discovery => {
                let (kind, api_version) = (resource.list_kind(), resource.api_version(version));
                (json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}), "items")
            }
            Shape::PartialObjectList => (partial_object_list(no_objects, metadata), "items"),
            Shape::Table => (table(version, no_objects, metadata, self.table_options), "rows"),
        };
        if let Some(fields) = list.as_object_mut() {
            fields.remove(elements);
        }
        let start = match self.form.encoding {
            Encoding::Json => {
                let text = list.to_string();
                let fields = text.strip_suffix('}').unwrap_or(&text);
                format!("{fields},\"{elements}\":[")
            }
            Encoding::Yaml => format!("{}{elements}:", yaml_text(&list)),
        };
        out.extend_from_slice(start.as_bytes());
    }

    /// Writes the element of an object.
    pub(super) fn write(&mut self, object: &StoredObject, out: &mut Vec<u8>) {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        match self.form {
            Form { encoding: Encoding::Yaml, .. } => {
                out.extend_from_slice(yaml_item(&self.element(object)).as_bytes());
            }
            Form { encoding: Encoding::Json, shape } => {
                if !is_first {
                    out.push(b',');
                }
                if shape == Shape::Object {
                    write_served(object, &self.request, out);
                } else {
                    out.extend_from_slice(self.element(object).to_string().as_bytes());
                }
            }
        }
    }

    /// Writes the end of the list.
    pub(super) fn write_end(&self, out: &mut Vec<u8>) {
        let end: &[u8] = match self.form.encoding {
            Encoding::Json => b"]}\n",
            Encoding::Yaml if self.is_empty => b" []\n",
            Encoding::Yaml => b"\n",
        };
        out.extend_from_slice(end);
    }

    fn element(&self, object: &StoredObject) -> Value {
        let object = served_value(object, &self.request);
        match self.form.shape {
            Shape::Object | Shape::PartialObject | Shape::Discovery => object,
            Shape::PartialObjectList => partial_object(&object),
            Shape::Table => table_row(self.request.version, &object, self.table_options),
        }
    }
}
