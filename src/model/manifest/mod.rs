//! Manifests: the YAML and JSON in which people write objects.
//!
//! [`read`] takes a text of any number of documents and reads each by itself, so that a bad one does
//! not take the others along. A document is read in two steps, its kind first and then the typed
//! object, so that every error keeps its line and its field. Lists (`kind: List`, `GatewayList`, …)
//! are taken apart.
//!
//! JSON is read as the subset of YAML that it is; only escaped surrogate pairs (`"\ud83d\ude00"`)
//! are refused, write such characters plainly.
//!
//! This folder is the only place that knows the YAML library.

mod entry;
mod error;
mod field_location;
mod header;
mod list;
mod read;
mod read_object;
mod split;
mod suggest_kind;
#[cfg(test)]
mod tests;

pub use self::entry::{Content, Entry};
pub use self::error::ManifestError;
pub use self::read::{read, read_document};
pub use self::split::{Document, split};
