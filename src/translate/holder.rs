//! Gateways in messages to the authors of other objects.

use std::fmt;

use crate::model::{NamespaceName, NamespacedName};

/// The Gateway that holds the port or the address that another object requests or refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    SameNamespace(NamespacedName),
    /// Its name is left out: a user may have access to the Gateways of one namespace only.
    OtherNamespace,
}

impl Holder {
    /// Returns the description of `holder` for the author of an object in `namespace`.
    pub(super) fn new(holder: &NamespacedName, namespace: &NamespaceName) -> Self {
        match holder.namespace == *namespace {
            true => Self::SameNamespace(holder.clone()),
            false => Self::OtherNamespace,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameNamespace(name) => write!(f, "Gateway {name}"),
            Self::OtherNamespace => f.write_str("a Gateway of another namespace"),
        }
    }
}
