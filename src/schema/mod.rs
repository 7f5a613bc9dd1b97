//! The resources that the API serves, and functions over their objects as JSON.
//!
//! [`resources`] is one table of names, scopes, versions, columns and schemas. It is built from
//! data files: the OpenAPI documents of Kubernetes and the definitions of Gateway API, cut to these
//! resources (`data/README.md`).
//!
//! The functions are pure. A server calls them in this order for a request that writes:
//!
//! ```text
//! parse_json ─► prune ─► apply_defaults ─► validate_metadata, validate ─► the store
//!     │           │                              │
//!  duplicates, unknown fields: fieldValidation   causes of a Status
//! ```
//!
//! `write_integers` comes after `parse_json` for custom resources, and after `apply_patch` for a
//! strategic merge patch.
//!
//! Nothing here does I/O or reads a clock.

mod cause;
mod causes;
mod defaults;
mod definitions;
mod discovery;
mod event;
mod field_path;
mod field_paths;
mod field_validation;
mod group_version;
mod integers;
mod json_document;
mod node;
mod node_builder;
mod openapi;
mod patches;
#[cfg(test)]
mod properties_tests;
mod prune;
mod quantity;
mod resource;
mod resource_table;
mod rule_checks;
mod rules;
mod selectors;
mod shortened;
mod table;
mod validation;

pub use self::cause::{Cause, CauseReason};
pub use self::causes::Causes;
pub use self::defaults::apply_defaults;
pub use self::discovery::{
    aggregated_core, aggregated_groups, api_group, api_groups, api_resources, core_versions,
};
pub use self::event::{EventGroup, convert_event};
pub use self::field_path::FieldPath;
pub use self::field_validation::{FieldValidation, StrictDecodingError};
pub use self::integers::write_integers;
pub use self::json_document::{JsonDocument, JsonError, parse_json};
pub use self::node::Schema;
pub use self::openapi::{OpenApiDocument, openapi_document, openapi_index};
pub use self::patches::{PatchError, PatchType, apply_patch};
pub use self::prune::prune;
pub use self::resource::{Resource, ServedVersion};
pub use self::resource_table::{find_kind, find_resource, resources};
pub use self::selectors::{
    FieldSelector, FieldSelectorError, LabelQueryError, parse_label_selector,
};
pub use self::table::{
    RowObject, TableOptions, partial_object, partial_object_list, table, table_row,
};
pub(crate) use self::validation::{
    check_labels, decode_base64, key_error, label_error, subdomain_error,
};
pub use self::validation::{
    validate, validate_metadata, validate_metadata_update, validate_update,
};
