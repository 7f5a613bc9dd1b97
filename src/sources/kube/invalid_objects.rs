//! The invalid objects, and the problems to report about them.

use std::collections::BTreeMap;

use super::error_text::format_error;
use super::references::References;
use super::scope::Scope;
use crate::model::{NamespacedName, ObjectKey};
use crate::sources::invalid_object::InvalidObject;

/// The invalid objects, each with the problem to report.
#[derive(Debug, Default)]
pub(super) struct InvalidObjects(BTreeMap<ObjectKey, Problem>);

/// The problem with an object.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    text: String,
    /// The Service that the object belongs to, if the problem matters only to the routes that refer
    /// to this Service.
    service: Option<NamespacedName>,
}

impl InvalidObjects {
    /// Records an invalid object. `is_kept` is `true` if the last valid version stays in use.
    /// Returns `true` if the problems to report change.
    pub(super) fn insert(
        &mut self,
        key: &ObjectKey,
        error: &InvalidObject,
        is_kept: bool,
        service: Option<NamespacedName>,
        references: &References,
    ) -> bool {
        let effect = match is_kept {
            true => "the last valid version stays in use",
            false => "it is ignored",
        };
        let error = format_error(error);
        let text = format!("{key}: {error}; {effect} until the object is corrected");
        let problem = Problem { text, service };
        let is_reported = problem.is_reported(references);
        let before = self.0.insert(key.clone(), problem);
        is_reported && before.as_ref() != self.0.get(key)
    }

    /// Removes an object that is valid or deleted. Returns `true` if the problems to report change.
    pub(super) fn remove(&mut self, key: &ObjectKey, references: &References) -> bool {
        self.0.remove(key).is_some_and(|problem| problem.is_reported(references))
    }

    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.0.contains_key(key)
    }

    /// Returns `true` if an object that belongs to a Service is invalid.
    pub(super) fn contains_any_of(&self, service: &NamespacedName) -> bool {
        self.0.values().any(|problem| problem.service.as_ref() == Some(service))
    }

    pub(super) fn keys_within<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Iterator<Item = ObjectKey> + 'a {
        let is_within = |key: &&ObjectKey| {
            key.kind == scope.kind
                && (scope.namespace.is_none() || key.namespace == scope.namespace)
        };
        self.0.keys().filter(is_within).cloned()
    }

    /// Returns the problems to report.
    pub(super) fn problems(&self, references: &References) -> impl Iterator<Item = String> {
        let reported = self.0.values().filter(|problem| problem.is_reported(references));
        reported.map(|problem| problem.text.clone())
    }
}

impl Problem {
    fn is_reported(&self, references: &References) -> bool {
        self.service.as_ref().is_none_or(|service| references.contains(service))
    }
}
