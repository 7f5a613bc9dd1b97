//! Lists at one revision, in pages.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use super::error::ReadError;
use super::key::Key;
use super::resource::Resource;
use super::revision::Revision;
use super::state::State;
use super::stored_object::StoredObject;

/// Request of a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    resource: Resource,
    namespace: Option<String>,
    limit: Option<NonZeroUsize>,
    max_bytes: usize,
    revision: Option<Revision>,
    start: Option<ContinueToken>,
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
    /// Number of objects after this page, before the filter.
    pub remaining: usize,
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
        let (namespace, name) = position(object);
        Self { revision, namespace: namespace.to_owned(), name: name.to_owned() }
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

/// Reads the objects of a page and all after it.
pub(super) fn read(state: &State, query: &ListQuery) -> Result<ListPage, ReadError> {
    let requested = query.start.as_ref().map(|start| start.revision).or(query.revision);
    let revision = requested.unwrap_or_else(|| state.revision());
    if revision > state.revision() {
        return Err(ReadError::TooNew { requested: revision, newest: state.revision() });
    }
    let current = state.objects().of_resource(&query.resource, query.namespace.as_deref());
    let changed = state.history().states_at(revision)?;
    let objects = if changed.is_empty() {
        current.cloned().collect()
    } else {
        let mut objects: BTreeMap<_, _> =
            current.map(|object| (object.key().clone(), object.clone())).collect();
        for (key, before) in changed {
            if !is_in_scope(&key, query) {
                continue;
            }
            match before {
                Some(object) => objects.insert(key, object),
                None => objects.remove(&key),
            };
        }
        objects.into_values().collect()
    };
    Ok(ListPage { revision, objects, next: None, remaining: 0 })
}

fn is_in_scope(key: &Key, query: &ListQuery) -> bool {
    *key.resource() == query.resource
        && query.namespace.as_ref().is_none_or(|namespace| key.namespace() == Some(namespace))
}

/// Cuts a page out of all objects: those after the token that match, up to the limits.
pub(super) fn cut(
    mut page: ListPage,
    query: &ListQuery,
    filter: impl Fn(&StoredObject) -> bool,
) -> ListPage {
    let start = query.start.as_ref().map_or(0, |start| {
        let last = (start.namespace.as_str(), start.name.as_str());
        page.objects.partition_point(|object| position(object) <= last)
    });
    let limit = query.limit.map_or(usize::MAX, NonZeroUsize::get);
    let (mut found, mut bytes) = (Vec::new(), 0);
    for (index, object) in page.objects.iter().enumerate().skip(start) {
        bytes += object.json_len();
        if filter(object) {
            found.push(object.clone());
        }
        let remaining = page.objects.len() - index - 1;
        if (found.len() == limit || bytes >= query.max_bytes) && remaining > 0 {
            page.next = Some(ContinueToken::after(object, page.revision));
            page.remaining = remaining;
            break;
        }
    }
    ListPage { objects: found, ..page }
}

fn position(object: &StoredObject) -> (&str, &str) {
    (object.key().namespace().unwrap_or_default(), object.key().name())
}
