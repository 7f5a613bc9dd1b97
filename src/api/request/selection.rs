//! Selection of objects by labels and fields.

use std::error::Error;

use super::resource_request::ResourceRequest;
use crate::admission::convert_to_served;
use crate::api::status::Status;
use crate::model::LabelSelector;
use crate::schema::{FieldSelector, Resource, ServedVersion, parse_label_selector};
use crate::store::StoredObject;

/// The parameters `labelSelector` and `fieldSelector`.
#[derive(Debug, Clone)]
pub(in crate::api) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
    resource: &'static Resource,
    /// Version to which the names of fields belong.
    version: &'static ServedVersion,
}

impl Selection {
    /// Parses the parameters of a request.
    pub(in crate::api) fn parse(request: &ResourceRequest) -> Result<Self, Status> {
        let text = |name| request.query.get(name).unwrap_or_default();
        let labels =
            parse_label_selector(text("labelSelector")).map_err(|error| invalid(&error))?;
        let fields = FieldSelector::parse(text("fieldSelector"), request.resource)
            .map_err(|error| invalid(&error))?;
        Ok(Self { labels, fields, resource: request.resource, version: request.version })
    }

    /// Returns `true` if every object matches.
    pub(in crate::api) fn is_everything(&self) -> bool {
        self.labels == LabelSelector::default() && self.fields == FieldSelector::default()
    }

    /// Returns `true` if an object matches.
    pub(in crate::api) fn matches(&self, object: &StoredObject) -> bool {
        // The parser has checked the selector.
        self.labels.is_met_by(object.labels()) && self.has_fields(object)
    }

    fn has_fields(&self, object: &StoredObject) -> bool {
        let key = object.key();
        if !self.fields.matches_key(key.namespace().unwrap_or_default(), key.name()) {
            return false;
        }
        if self.fields.is_of_key() {
            return true;
        }
        let mut value = object.to_value();
        convert_to_served(&mut value, self.resource, self.version);
        self.fields.matches(&value)
    }
}

fn invalid(error: &dyn Error) -> Status {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Status::bad_request(format!("{error}{source}"))
}
