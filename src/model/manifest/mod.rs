//! Manifests: objects in YAML and JSON.
//!
//! [`read()`] reads a text with any number of documents. The documents are read independently of
//! each other, so that an invalid document does not affect the others. The items of a `List`, or of
//! a typed list such as `GatewayList`, are read like documents.
//!
//! A document is parsed in two steps: first the header, with the kind and the name, then the typed
//! object. The errors of the second step can therefore contain the object, the line and the field.
//!
//! JSON is read as a subset of YAML. The one exception is an escaped surrogate pair
//! (`"\ud83d\ude00"`), which is an error; write the character itself.
//!
//! No other module uses the YAML library.

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
