//! Rules that a type alone cannot express: limits of lists, and the CEL rules of the CRDs.
//!
//! Each kind has its rules beside its fields, as `fn validate(&self, …, &mut Violations)`. An API
//! server has checked the objects of a cluster. Objects in manifests are checked here. Objects from
//! code are not checked unless the caller calls `Object::validate`.

use std::fmt;

use super::meta::ObjectMeta;
use super::scalar::is_dns_subdomain;

/// Violation of a rule: the field, and the values that are allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the object, such as `spec.listeners[0].hostname`.
    pub field: String,
    /// The value, and the values that are allowed.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Collected violations of one object.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Violation { field: field.into(), message: message.into() });
    }

    /// Checks the number of entries of a list or map.
    pub(crate) fn check_count(&mut self, field: &str, count: usize, min: usize, max: usize) {
        if !(min..=max).contains(&count) {
            let allowed = if min == max { min.to_string() } else { format!("{min} to {max}") };
            self.add(field, format!("has {count} entries; {allowed} allowed"));
        }
    }

    /// Checks the number of characters of a text.
    pub(crate) fn check_length(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.add(field, format!("is {length} characters long; at most {max} allowed"));
        }
    }

    /// Checks the name of an object.
    pub(crate) fn check_metadata(&mut self, metadata: &ObjectMeta) {
        let name = metadata.name.as_str();
        if !is_dns_subdomain(name) {
            self.add(
                "metadata.name",
                format!("`{name}` must consist of a-z, 0-9, '-' and '.', each part beginning and ending with a letter or digit"),
            );
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}
