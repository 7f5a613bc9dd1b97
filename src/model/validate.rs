//! Rules that a type alone cannot express: limits of lists, and the CEL rules of the CRDs.
//!
//! Each kind has its rules beside its fields, as `fn validate(&self, …, &mut Violations)`. An API
//! server has checked the objects of a cluster. Objects in manifests are checked here. Objects from
//! code are not checked unless the caller calls `Object::validate`.

use std::fmt;

use super::labels::{Labels, MAX_PREFIX, is_label_key, is_label_value};
use super::meta::ObjectMeta;
use super::scalar::{is_dns_label, is_dns_subdomain};

/// The maximum length of all annotations of an object together, keys and values, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// Violation of a rule: the field, and the values that are allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Class of the violation.
    pub reason: ViolationReason,
    /// Path of the field in the object, such as `spec.listeners[0].hostname`.
    pub field: String,
    /// The value, and the values that are allowed.
    pub message: String,
}

/// Class of a [`Violation`], as an API server reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViolationReason {
    /// The value is malformed, out of bounds, or does not fit other fields.
    Invalid,
    /// The field is missing or empty.
    Required,
    /// The value must be unique and is not.
    Duplicate,
    /// The list or map has too many entries.
    TooMany,
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
    /// Adds an invalid value.
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.push(ViolationReason::Invalid, field, message);
    }

    /// Adds a field that is missing or empty.
    pub(crate) fn add_required(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.push(ViolationReason::Required, field, message);
    }

    /// Adds a value that repeats another one.
    pub(crate) fn add_duplicate(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.push(ViolationReason::Duplicate, field, message);
    }

    fn push(
        &mut self,
        reason: ViolationReason,
        field: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.0.push(Violation { reason, field: field.into(), message: message.into() });
    }

    /// Checks the number of entries of a list or map.
    pub(crate) fn check_count(&mut self, field: &str, count: usize, min: usize, max: usize) {
        if !(min..=max).contains(&count) {
            let allowed = if min == max { min.to_string() } else { format!("{min} to {max}") };
            let reason = match count {
                _ if count > max => ViolationReason::TooMany,
                0 => ViolationReason::Required,
                _ => ViolationReason::Invalid,
            };
            self.push(reason, field, format!("has {count} entries; {allowed} allowed"));
        }
    }

    /// Checks the number of characters of a text.
    pub(crate) fn check_length(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.add(field, format!("is {length} characters long; at most {max} allowed"));
        }
    }

    /// Checks name, labels and annotations of an object whose name is a DNS subdomain.
    pub(crate) fn check_metadata(&mut self, metadata: &ObjectMeta) {
        let name = metadata.name.as_str();
        if !is_dns_subdomain(name) {
            self.add(
                "metadata.name",
                format!("`{name}` must consist of a-z, 0-9, '-' and '.', each part beginning and ending with a letter or digit"),
            );
        }
        self.check_labels_and_annotations(metadata);
    }

    /// Checks name, labels and annotations of an object whose name is a DNS label.
    pub(crate) fn check_metadata_with_label_name(&mut self, metadata: &ObjectMeta) {
        let name = metadata.name.as_str();
        if !is_dns_label(name) {
            self.add(
                "metadata.name",
                format!("`{name}` must be 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"),
            );
        }
        self.check_labels_and_annotations(metadata);
    }

    fn check_labels_and_annotations(&mut self, metadata: &ObjectMeta) {
        self.check_labels("metadata.labels", &metadata.labels, MAX_PREFIX);
        self.check_annotations("metadata.annotations", &metadata.annotations);
    }

    /// Checks that a text is one of the values of an enum. An absent text is allowed.
    pub(crate) fn check_enum(&mut self, field: &str, text: Option<&str>, allowed: &[&str]) {
        if let Some(text) = text.filter(|text| !allowed.contains(text)) {
            self.add(field, format!("`{text}` must be one of {}", allowed.join(", ")));
        }
    }

    /// Checks the keys and values of labels at `path`.
    pub(crate) fn check_labels(&mut self, path: &str, labels: &Labels, max_prefix: usize) {
        for (key, value) in labels {
            self.check_label_key(path, key, key, max_prefix);
            if !is_label_value(value) {
                self.add(
                    format!("{path}.{key}"),
                    format!("`{value}` must be at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"),
                );
            }
        }
    }

    /// Checks the annotations of an object. Their keys may contain upper case letters in the
    /// prefix, unlike those of labels.
    pub(crate) fn check_annotations(&mut self, path: &str, annotations: &Labels) {
        for key in annotations.keys() {
            self.check_label_key(path, key, &key.to_lowercase(), MAX_PREFIX);
        }
        let length: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if length > MAX_ANNOTATIONS {
            self.add(
                path,
                format!("keys and values are {length} bytes long together; at most {MAX_ANNOTATIONS} allowed"),
            );
        }
    }

    /// Checks a key; `compared` is the form of the key that has to match.
    pub(crate) fn check_label_key(
        &mut self,
        path: &str,
        key: &str,
        compared: &str,
        max_prefix: usize,
    ) {
        if !is_label_key(compared, max_prefix) {
            self.add(
                path,
                format!("key `{key}` must be a name of at most 63 letters, digits, '-', '_' and '.', optionally after a DNS subdomain and '/'"),
            );
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}
