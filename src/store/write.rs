//! Requests of writes, and their results.

use std::sync::Arc;

use serde_json::Value;

use super::draft::Draft;
use super::error::WriteError;
use super::key::Key;
use super::resource::Resource;
use super::revision::Revision;
use super::stored_object::StoredObject;

/// Request to change an object.
///
/// ```
/// use serde_json::json;
/// use sluicegate::store::{Catalog, Key, Propagation, ResourceRules, Write};
///
/// let mut catalog = Catalog::new();
/// let secrets = catalog.add(ResourceRules::namespaced("", "secrets", "Secret"));
/// let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}});
/// let create = Write::create(&secrets, Some("default"), secret).with_dry_run();
/// let delete = Write::delete(Key::namespaced(&secrets, "default", "token"))
///     .with_propagation(Propagation::Foreground);
/// ```
#[derive(Debug, Clone)]
pub struct Write {
    action: Action<Value>,
    key: Key,
    preconditions: Preconditions,
    has_initial_status: bool,
    is_dry_run: bool,
}

impl Write {
    /// Creates an object, without its status if the resource has a status subresource. Its name is
    /// in its metadata, or is generated from `metadata.generateName`. `namespace` is `None` for a
    /// cluster-scoped object.
    pub fn create(resource: &Resource, namespace: Option<&str>, object: Value) -> Self {
        let key = Key::namespaced(resource, namespace.unwrap_or_default(), "");
        Self::new(Action::Create(object), key)
    }

    /// Replaces an object, except its status if the resource has a status subresource. If the
    /// metadata contains a resourceVersion or a uid, it is a precondition.
    pub fn replace(key: Key, object: Value) -> Self {
        Self::new(Action::Replace(object), key)
    }

    /// Replaces the status of an object, and ignores the rest of `object`. If the metadata contains
    /// a resourceVersion or a uid, it is a precondition.
    pub fn replace_status(key: Key, object: Value) -> Self {
        Self::new(Action::ReplaceStatus(object), key)
    }

    /// Deletes an object, at once or when its finalizers are removed.
    pub fn delete(key: Key) -> Self {
        Self::new(Action::Delete(None), key)
    }

    fn new(action: Action<Value>, key: Key) -> Self {
        let preconditions = Preconditions::default();
        Self { action, key, preconditions, has_initial_status: false, is_dry_run: false }
    }

    /// Adds preconditions. They replace those of the object's metadata.
    #[must_use]
    pub fn with_preconditions(self, preconditions: Preconditions) -> Self {
        Self { preconditions, ..self }
    }

    /// Sets how a deletion treats the dependents of the object. No effect on other writes.
    #[must_use]
    pub fn with_propagation(mut self, propagation: Propagation) -> Self {
        if let Action::Delete(chosen) = &mut self.action {
            *chosen = Some(propagation);
        }
        self
    }

    /// Keeps the status of an object that is created. No effect on other writes.
    ///
    /// A client cannot set it: it is the default that the schema of a resource has.
    #[must_use]
    pub fn with_initial_status(self) -> Self {
        Self { has_initial_status: true, ..self }
    }

    /// Checks the write and returns its result without changing anything.
    #[must_use]
    pub fn with_dry_run(self) -> Self {
        Self { is_dry_run: true, ..self }
    }

    /// Splits the objects, so that the writer thread has less to do.
    pub(super) fn prepare(self) -> Result<PreparedWrite, WriteError> {
        let mut key = self.key;
        let action = match self.action {
            Action::Create(object) => {
                let mut draft = Draft::of_request(object)?;
                if key.resource().has_status() && !self.has_initial_status {
                    draft.fields.remove("status");
                }
                Action::Create(draft)
            }
            Action::Replace(object) => Action::Replace(Draft::of_request(object)?),
            Action::ReplaceStatus(object) => Action::ReplaceStatus(Draft::of_request(object)?),
            Action::Delete(propagation) => Action::Delete(propagation),
        };
        let mut preconditions = self.preconditions;
        match &action {
            Action::Create(draft) => {
                key = key.with_name(draft.metadata_str("name")?.unwrap_or_default());
                check_names(draft, &key)?;
                if draft.metadata_str("resourceVersion")?.is_some() {
                    let reason = "an object to be created must not have a resourceVersion";
                    return Err(WriteError::invalid("metadata.resourceVersion", reason));
                }
            }
            Action::Replace(draft) | Action::ReplaceStatus(draft) => {
                check_names(draft, &key)?;
                preconditions = preconditions.or_of_metadata(draft)?;
            }
            Action::Delete(_) => {}
        }
        Ok(PreparedWrite { action, key, preconditions, is_dry_run: self.is_dry_run })
    }
}

fn check_names(draft: &Draft, key: &Key) -> Result<(), WriteError> {
    if draft.metadata_str("name")?.is_some_and(|name| name != key.name()) {
        let reason = format!("the name of the request is {:?}", key.name());
        return Err(WriteError::invalid("metadata.name", reason));
    }
    let namespace = draft.metadata_str("namespace")?;
    if namespace.is_some_and(|namespace| key.namespace() != Some(namespace)) {
        let reason = match key.namespace() {
            Some(expected) => format!("the namespace of the request is {expected:?}"),
            None => "a cluster-scoped object has no namespace".to_owned(),
        };
        return Err(WriteError::invalid("metadata.namespace", reason));
    }
    Ok(())
}

/// Change that a write makes, with the object `O` that it writes.
#[derive(Debug, Clone)]
pub(super) enum Action<O> {
    Create(O),
    Replace(O),
    ReplaceStatus(O),
    Delete(Option<Propagation>),
}

/// A write that is ready for the writer thread.
#[derive(Debug)]
pub(super) struct PreparedWrite {
    pub(super) action: Action<Draft>,
    pub(super) key: Key,
    pub(super) preconditions: Preconditions,
    pub(super) is_dry_run: bool,
}

impl PreparedWrite {
    /// Returns the approximate number of bytes of the write.
    pub(super) fn len(&self) -> usize {
        match &self.action {
            Action::Create(draft) | Action::Replace(draft) | Action::ReplaceStatus(draft) => {
                draft.len()
            }
            Action::Delete(_) => 0,
        }
    }
}

/// Conditions that an object must meet to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// Revision of the object.
    pub(super) revision: Option<Revision>,
    /// UID of the object.
    pub(super) uid: Option<String>,
}

impl Preconditions {
    /// Creates preconditions that every object meets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Expects this revision of the object.
    #[must_use]
    pub fn with_revision(self, revision: Revision) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// Expects this UID of the object.
    #[must_use]
    pub fn with_uid(self, uid: impl Into<String>) -> Self {
        Self { uid: Some(uid.into()), ..self }
    }

    fn or_of_metadata(self, draft: &Draft) -> Result<Self, WriteError> {
        let revision = draft.metadata_str("resourceVersion")?;
        // Kubernetes' clients write 0 for an object of any revision.
        let revision = revision.filter(|text| *text != "0").map(str::parse).transpose()?;
        let uid = draft.metadata_str("uid")?.map(str::to_owned);
        Ok(Self { revision: self.revision.or(revision), uid: self.uid.or(uid) })
    }
}

/// Treatment of the dependents of a deleted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagation {
    /// Dependents are deleted after the object. This is the default.
    Background,
    /// The object is deleted after its dependents.
    Foreground,
    /// Dependents are kept, without their reference to the object.
    Orphan,
}

/// Result of a write.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteResult {
    /// The object after the write; its last state if it was removed.
    pub object: Arc<StoredObject>,
    /// Effect of the write.
    pub effect: WriteEffect,
}

/// Effect of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteEffect {
    /// The object was created.
    Created,
    /// The object was changed. A deletion that waits for finalizers changes the object.
    Updated,
    /// The write had no effect on the object. Its revision is the same as before.
    Unchanged,
    /// The object was removed.
    Removed,
}

/// Time at which a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// After the change is on disk.
    Synced,
    /// As soon as readers see the change. It is written to disk with the next synced write, at most
    /// five seconds later, and is lost if the process ends before. While the disk fails, the change
    /// is accepted. For status that is computed again after a restart.
    Ephemeral,
}
