//! Checks and changes of objects before they are stored, as an API server does them.
//!
//! `Admission` takes the object of a request to its stored form: it checks the header, drops or
//! reports unknown fields, sets defaults, and checks the metadata, the schema, the rules of the
//! kind, and the fields that cannot change.
//!
//! ```text
//! decode ─► header ─► prune ─► defaults ─► metadata, schema, rules of the kind ─► the store
//!                       │                        │
//!       warnings, or AdmissionError::Strict      causes of a Status
//! ```
//!
//! The rules of a built-in kind have two sources: those that routing relies on are in the model
//! (`model_rules`), and those that Kubernetes has in code beside them are in `built_in/`.
//!
//! Nothing here does I/O or reads a clock.

#[allow(clippy::module_inception, reason = "the type of the module")]
mod admission;
mod built_in;
mod catalog;
mod changed_parts;
mod convert;
mod decode;
mod error;
mod header;
mod metadata_update;
mod model_rules;
#[cfg(test)]
mod requests_in_tests;
mod settings;
mod target;
#[cfg(test)]
mod update_tests;

pub use self::admission::{Admission, AdmittedObject};
pub use self::catalog::catalog;
pub use self::convert::{convert_to_served, convert_to_stored};
pub use self::decode::{BodyFormat, DecodeError, decode};
pub use self::error::AdmissionError;
pub use self::settings::Settings;
pub use self::target::Target;
