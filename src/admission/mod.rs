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

#[cfg(feature = "api")]
#[allow(clippy::module_inception, reason = "the type of the module")]
mod admission;
#[cfg(feature = "api")]
mod bounds;
#[cfg(feature = "api")]
mod built_in;
#[cfg(feature = "api")]
mod catalog;
#[cfg(feature = "api")]
mod changed_parts;
#[cfg(feature = "api")]
mod convert;
#[cfg(feature = "api")]
mod decode;
#[cfg(feature = "api")]
mod error;
#[cfg(feature = "api")]
mod header;
#[cfg(feature = "api")]
mod metadata_update;
#[cfg(feature = "api")]
mod model_rules;
#[cfg(test)]
#[cfg(feature = "api")]
mod requests_in_tests;
mod server_metadata;
#[cfg(feature = "api")]
mod settings;
#[cfg(feature = "api")]
mod target;
#[cfg(test)]
#[cfg(feature = "api")]
mod update_tests;

#[cfg(feature = "api")]
pub use self::admission::{Admission, AdmittedObject};
#[cfg(feature = "api")]
pub use self::catalog::catalog;
#[cfg(feature = "api")]
pub use self::convert::{convert_to_served, convert_to_stored};
#[cfg(feature = "api")]
pub use self::decode::{BodyFormat, DecodeError, decode};
#[cfg(feature = "api")]
pub use self::error::AdmissionError;
pub(crate) use self::server_metadata::{fill_server_metadata, has_generation};
#[cfg(feature = "api")]
pub use self::settings::Settings;
#[cfg(feature = "api")]
pub use self::target::Target;
