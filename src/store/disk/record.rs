//! Objects as they are in the file.

use crate::store::key::Key;
use crate::store::resource::Catalog;
use crate::store::revision::Revision;
use crate::store::stored_object::StoredObject;

/// Object as it is in the file: its path, and its revision before its JSON text.
#[derive(Debug)]
pub(in crate::store) struct Record {
    pub(in crate::store) path: String,
    pub(in crate::store) bytes: Vec<u8>,
}

/// Bytes of the revision.
const REVISION_LEN: usize = 8;

impl Record {
    /// Returns the path of an object: group, plural, namespace and name. Only the name can contain
    /// a slash.
    pub(super) fn path_of(key: &Key) -> String {
        let resource = key.resource();
        let namespace = key.namespace().unwrap_or_default();
        format!("{}/{}/{namespace}/{}", resource.group(), resource.plural(), key.name())
    }

    pub(super) fn bytes_of(object: &StoredObject) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(REVISION_LEN + object.json_len());
        bytes.extend_from_slice(&object.revision().get().to_be_bytes());
        bytes.extend_from_slice(object.text().as_bytes());
        bytes
    }

    /// Returns group and plural name of the resource.
    pub(in crate::store) fn resource_path(&self) -> &str {
        let end = self.path.match_indices('/').nth(1).map_or(self.path.len(), |(index, _)| index);
        &self.path[..end]
    }

    /// Returns the key, if the catalog has the resource.
    pub(in crate::store) fn key(&self, catalog: &Catalog) -> Option<Key> {
        let mut parts = self.path.splitn(4, '/');
        let resource = catalog.get(parts.next()?, parts.next()?)?;
        Some(Key::namespaced(resource, parts.next()?, parts.next()?))
    }

    /// Returns the revision, or `None` if the record is malformed.
    fn revision(&self) -> Option<Revision> {
        self.bytes.first_chunk().map(|bytes| Revision::new(u64::from_be_bytes(*bytes)))
    }

    /// Returns `true` if the record contains an object. Its revision counts at least as `floor`.
    pub(super) fn contains(&self, object: &StoredObject, floor: Revision) -> bool {
        self.parts().is_ok_and(|(revision, text)| {
            revision.max(floor) == object.revision() && *text == **object.text()
        })
    }

    /// Returns revision and JSON text.
    pub(in crate::store) fn parts(&self) -> Result<(Revision, &str), MalformedRecord> {
        let text = self.bytes.get(REVISION_LEN..).map(std::str::from_utf8);
        let (Some(revision), Some(Ok(text))) = (self.revision(), text) else {
            return Err(MalformedRecord { path: self.path.clone(), source: None });
        };
        Ok((revision, text))
    }

    /// Returns the error of a record whose text is not an object.
    pub(in crate::store) fn not_an_object(&self, source: serde_json::Error) -> MalformedRecord {
        MalformedRecord { path: self.path.clone(), source: Some(source) }
    }
}

/// Error of a record that this version did not write.
#[derive(Debug, thiserror::Error)]
#[error("the record of {path:?} does not contain an object")]
pub(in crate::store) struct MalformedRecord {
    path: String,
    source: Option<serde_json::Error>,
}
