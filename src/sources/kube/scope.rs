//! The objects that one watch covers.

use std::fmt;

use crate::model::{NamespaceName, ObjectKind};

/// The objects that one watch covers: those of a kind, in all namespaces or in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) kind: ObjectKind,
    pub(super) namespace: Option<NamespaceName>,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects", self.kind)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}
