//! The objects of an answer.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::api::request::Selection;
use crate::store::{ContinueToken, ListQuery, Revision, Store, StoredObject};

/// Objects of a resource at a revision.
#[derive(Debug)]
pub(in crate::api) struct ObjectList {
    pub(in crate::api) objects: Vec<Arc<StoredObject>>,
    pub(in crate::api) revision: Revision,
    /// Token of the next page.
    pub(in crate::api) next: Option<ContinueToken>,
    /// Objects after this page, if their number is known.
    pub(in crate::api) remaining: Option<usize>,
    /// Without a source, all objects are in memory until the client has read them.
    pub(in crate::api) source: Option<ListSource>,
}

/// Source from which the objects of a list can be read again.
#[derive(Debug)]
pub(in crate::api) struct ListSource {
    pub(in crate::api) store: Store,
    pub(in crate::api) query: ListQuery,
    pub(in crate::api) selection: Selection,
}

impl ObjectList {
    /// Returns the metadata of the list.
    pub(super) fn metadata(&self) -> Value {
        let mut metadata = Map::new();
        metadata.insert("resourceVersion".to_owned(), self.revision.to_string().into());
        if let Some(next) = &self.next {
            metadata.insert("continue".to_owned(), next.to_string().into());
            if let Some(remaining) = self.remaining {
                metadata.insert("remainingItemCount".to_owned(), remaining.into());
            }
        }
        metadata.into()
    }
}
