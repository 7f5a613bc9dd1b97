//! Manifests: objects in YAML and JSON.
//!
//! [`read()`] reads a text with any number of documents. The documents are read independently of
//! each other, so that an invalid document does not affect the others. The items of a `List`, or of
//! a typed list such as `GatewayList`, are read like documents.
//!
//! A document is parsed once, into a tree of nodes with positions (`build`). The header, the typed
//! object and the rules that span fields are all read from the tree, so that every error has its
//! line, and reading takes linear time.
//!
//! Scalars, merge keys and byte order marks are read as kubectl does, except that an ambiguous
//! merge key is an error (`mapping`). JSON is read as a subset of YAML.
//!
//! No other module uses the YAML parser.

mod build;
mod control_character;
mod decode;
mod deserialize;
mod deserialize_error;
#[cfg(feature = "api")]
mod deserialize_only;
#[cfg(test)]
mod document_tests;
mod entry;
mod error;
mod field_list;
mod field_location;
#[cfg(test)]
mod field_tests;
mod header;
mod header_field;
mod json_stream;
mod known_fields;
mod list;
mod mapping;
mod node_id;
mod open;
mod path;
mod position;
mod problem;
mod problem_list;
mod read;
mod read_object;
mod references;
mod scalar;
mod split;
mod suggest;
mod suggest_kind;
mod suspicious_character;
#[cfg(test)]
mod tests;
mod tree;
mod unknown_field;
#[cfg(test)]
mod unserved_tests;
#[cfg(test)]
mod yaml_tests;

pub use self::decode::{DecodeError, decode};
#[cfg(feature = "api")]
pub(crate) use self::deserialize_only::deserialize_only;
pub use self::entry::{Content, Entry};
pub use self::error::ManifestError;
pub use self::read::{read, read_document};
pub use self::split::{Document, split};
