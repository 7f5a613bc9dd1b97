//! Validation of objects by their schemas.
//!
//! | file | checks |
//! |---|---|
//! | `validate` | all of an object, for a creation or an update |
//! | `structure` | types, required fields, bounds, patterns, enumerations |
//! | `formats` | formats of strings and numbers |
//! | `lists` | uniqueness in sets and maps |
//! | `rule_evaluation` | rules of custom resources that span fields |
//! | `metadata` | names, labels, annotations, owners, finalizers |
//! | `names` | syntax of names and keys |
//!
//! An update is checked as far as it differs from the stored object (`old_item` finds the items of
//! lists): an object that an earlier version of the schema allowed can still be changed elsewhere.

mod formats;
mod lists;
mod metadata;
mod names;
mod old_item;
mod rule_evaluation;
mod structure;
mod validate;

pub(crate) use self::formats::decode_base64;
pub(crate) use self::metadata::check_labels;
pub use self::metadata::{validate_metadata, validate_metadata_update};
pub(crate) use self::names::{key_error, label_error, subdomain_error};
pub use self::validate::{validate, validate_update};
