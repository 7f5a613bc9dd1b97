//! Lists at one revision, in pages.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use super::key::Key;
use super::resource::Resource;
use super::revision::Revision;
use super::stored_object::StoredObject;

/// Request of a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    resource: Resource,
    namespace: Option<String>,
    pub(super) limit: Option<NonZeroUsize>,
    pub(super) max_bytes: usize,
    pub(super) revision: Option<Revision>,
    pub(super) start: Option<ContinueToken>,
    pub(super) has_count: bool,
}

impl ListQuery {
    /// Creates the request of all objects of a resource, in all namespaces.
    pub fn new(resource: &Resource) -> Self {
        Self {
            resource: resource.clone(),
            namespace: None,
            limit: None,
            max_bytes: usize::MAX,
            revision: None,
            start: None,
            has_count: false,
        }
    }

    /// Limits the list to a namespace.
    #[must_use]
    pub fn with_namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    /// Limits the number of objects in a page.
    #[must_use]
    pub fn with_limit(self, limit: NonZeroUsize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Ends a page after objects of this number of bytes of JSON. Objects that the filter refuses
    /// count too: this bounds the work on a page, which may contain no object although others
    /// follow.
    #[must_use]
    pub fn with_max_bytes(self, bytes: usize) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// Reads the state at a revision, as far back as the history reaches.
    #[must_use]
    pub fn with_revision(self, revision: Revision) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// Continues after a page, at the revision of the token.
    #[must_use]
    pub fn with_start(self, token: ContinueToken) -> Self {
        Self { start: Some(token), ..self }
    }

    /// Counts the objects after a page.
    #[must_use]
    pub fn with_count(self) -> Self {
        Self { has_count: true, ..self }
    }

    /// Returns the key after which the page begins.
    pub(super) fn start_key(&self) -> Key {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        // No object has an empty name.
        let first = Key::namespaced(&self.resource, namespace, "");
        match &self.start {
            Some(token) => {
                first.max(Key::namespaced(&self.resource, &token.namespace, &token.name))
            }
            None => first,
        }
    }

    /// Returns `true` if the list is about objects with such a key.
    pub(super) fn contains(&self, key: &Key) -> bool {
        *key.resource() == self.resource
            && self.namespace.as_deref().is_none_or(|namespace| key.namespace() == Some(namespace))
    }
}

/// Page of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListPage {
    /// Revision of the list. A watch after it continues the list.
    pub revision: Revision,
    /// Objects, by namespace and name.
    pub objects: Vec<Arc<StoredObject>>,
    /// Token of the next page, unless this is the last one.
    pub next: Option<ContinueToken>,
    /// Number of objects after this page, before the filter, if there are some and the query
    /// [asks for it](ListQuery::with_count). It is missing if the history moves past the revision
    /// while the page is read.
    pub remaining: Option<usize>,
}

/// Token that continues a list after a page.
///
/// It expires with the history: a later page is read at the revision of the first one.
///
/// ```
/// use sluicegate::store::ContinueToken;
///
/// let token: ContinueToken = "228170137600000/default/web".parse()?;
/// assert_eq!(token.to_string(), "228170137600000/default/web");
/// # Ok::<_, sluicegate::store::InvalidContinueToken>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinueToken {
    revision: Revision,
    namespace: String,
    name: String,
}

impl ContinueToken {
    /// Creates the token of the position after an object, at a revision.
    pub fn after(object: &StoredObject, revision: Revision) -> Self {
        Self::new(object.key(), revision)
    }

    pub(super) fn new(key: &Key, revision: Revision) -> Self {
        let namespace = key.namespace().unwrap_or_default().to_owned();
        Self { revision, namespace, name: key.name().to_owned() }
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the token of the same position at another revision. If the token has expired, a
    /// client can finish its list at a newer revision, which is not consistent with the pages
    /// before.
    #[must_use]
    pub fn at_revision(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }
}

impl fmt::Display for ContinueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.revision, self.namespace, self.name)
    }
}

/// A text that is not a token of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a continue token of this server; list again without it")]
pub struct InvalidContinueToken(String);

impl FromStr for ContinueToken {
    type Err = InvalidContinueToken;

    fn from_str(text: &str) -> Result<Self, InvalidContinueToken> {
        let invalid = || InvalidContinueToken(text.to_owned());
        let mut parts = text.splitn(3, '/');
        let [Some(revision), Some(namespace), Some(name)] = [(); 3].map(|()| parts.next()) else {
            return Err(invalid());
        };
        let revision = revision.parse().map_err(|_| invalid())?;
        Ok(Self { revision, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}
