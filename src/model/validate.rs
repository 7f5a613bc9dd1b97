//! The rules that an API server would check and a type alone cannot: limits on lists, and the CEL
//! rules of the CRDs.
//!
//! Each kind has its rules beside its fields, as `fn validate(&self, …, &mut Violations)`. Objects
//! from a cluster have passed them already; objects from a file or from code have not.

use std::fmt;

use super::meta::ObjectMeta;
use super::scalar::is_dns_subdomain;

/// One broken rule: which field, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's path from the object's root, such as `spec.listeners[0].hostname`.
    pub field: String,
    /// What was found and what is allowed.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The broken rules of one object, collected while it is checked.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Violation { field: field.into(), message: message.into() });
    }

    /// Checks the length of a list or map.
    pub(crate) fn count(&mut self, field: &str, count: usize, min: usize, max: usize) {
        if !(min..=max).contains(&count) {
            let allowed = if min == max { min.to_string() } else { format!("{min} to {max}") };
            self.add(field, format!("has {count} entries; {allowed} allowed"));
        }
    }

    /// Checks the length of a text.
    pub(crate) fn length(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.add(field, format!("is {length} characters long; at most {max} allowed"));
        }
    }

    pub(crate) fn metadata(&mut self, metadata: &ObjectMeta) {
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
