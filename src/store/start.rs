//! Start of a store: from the contents of its disk to the writer thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use tokio::sync::watch;

use super::backoff::Backoff;
use super::collect::Collector;
use super::disk::{Contents, Medium, OpenError};
use super::evaluate::{Identities, Limits, default_namespace};
use super::history::History;
use super::objects::Objects;
use super::outage::Outage;
use super::request::Message;
use super::resource::Catalog;
use super::revision::Revision;
use super::settings::Settings;
use super::state::{SharedState, State};
use super::stored_object::StoredObject;
use super::write::Write;
use super::writer::{Unsynced, Writer};
use super::writer_thread::WriterThread;

/// Parts of a running store.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) state: SharedState,
    pub(super) newest: watch::Receiver<Revision>,
    pub(super) sender: Sender<Message>,
    pub(super) thread: WriterThread,
}

pub(super) fn start(
    mut disk: Medium,
    catalog: Catalog,
    settings: Settings,
) -> Result<Started, OpenError> {
    let contents = disk.read().map_err(|error| disk.open_error(error))?;
    let floor = contents.revision.next_epoch((settings.clock)());
    let objects = load(&mut disk, contents, &catalog, floor)?;
    let collector = Collector::new(catalog.clone(), &objects, (settings.clock)());
    let state = State::new(objects, History::new(floor, settings.history), floor);
    let (newest, receiver) = watch::channel(floor);
    let (sender, messages) = mpsc::channel();
    let backoff = Backoff::new(settings.reopen_backoff.0, settings.reopen_backoff.1);
    let mut writer = Writer {
        receiver: messages,
        state: SharedState::new(state),
        newest,
        catalog,
        identities: Identities::new(settings.clock, settings.random),
        limits: Limits { object_bytes: settings.max_object_bytes, bytes: settings.max_bytes },
        collector,
        outage: Outage::new(disk.path().to_owned(), backoff),
        disk,
        floor,
        newest_assigned: floor,
        unsynced: Unsynced::default(),
    };
    writer.begin_epoch();
    let state = writer.state.clone();
    let path = writer.disk.path().to_owned();
    let thread = WriterThread::start(writer, path, settings.close_timeout);
    let thread = thread.map_err(OpenError::Thread)?;
    Ok(Started { state, newest: receiver, sender, thread })
}

fn load(
    disk: &mut Medium,
    contents: Contents,
    catalog: &Catalog,
    floor: Revision,
) -> Result<Objects, OpenError> {
    let mut objects = Objects::default();
    let mut unserved = Vec::new();
    for record in contents.records {
        let Some(key) = record.key(catalog) else {
            unserved.push(record);
            continue;
        };
        let (revision, text) = record.parts().map_err(|error| disk.damaged(error))?;
        // The state of the object may be older than the one that clients have read: the folder may
        // be an older copy, and ephemeral changes may be lost. A new revision shows that.
        let object = StoredObject::new(key, revision.max(floor), text.into());
        let object = object.map_err(|source| disk.damaged(record.not_an_object(source)))?;
        objects.insert(Arc::new(object));
    }
    let mut counts = BTreeMap::new();
    for record in &unserved {
        *counts.entry(record.resource_path()).or_insert(0_u64) += 1;
    }
    for (resource, count) in counts {
        tracing::warn!(
            path = %disk.path().display(),
            resource,
            count,
            "the store contains objects of a resource that this version does not serve; they are \
             kept in the file"
        );
    }
    disk.keep_unserved(unserved);
    Ok(objects)
}

impl Writer {
    /// Creates the namespace that always exists, and writes the first revision of the epoch to
    /// disk, so that the next epoch is greater. The store also starts if the disk is full.
    fn begin_epoch(&mut self) {
        let state = self.state.read();
        let mut staging = self.staging(&state);
        let create = Write::create(self.catalog.namespaces(), None, default_namespace()).prepare();
        // The namespace exists already, except in a new store.
        _ = create.and_then(|create| staging.write(create));
        let changes = staging.into_changes();
        drop(state);
        _ = self.store(&changes);
        self.publish(&changes);
    }
}
