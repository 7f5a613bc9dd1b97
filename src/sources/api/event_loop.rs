//! The event loop: changes of the store become snapshots, and status reports become writes.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio::time::Instant;

use super::object_cache::ObjectCache;
use super::status_writer::StatusWriter;
use crate::model::GatewayController;
use crate::sources::{Feed, SourceError, StatusUpdate};
use crate::store::{Change, ReadError, Store, StoredObject, Watch, WatchScope};

/// Maximum time for which a snapshot is delayed while changes arrive.
const MAX_DRAIN: Duration = Duration::from_millis(50);

/// A running source. It owns all state of the source, so nothing is locked.
pub(super) struct EventLoop {
    feed: Feed,
    status: channel::Receiver<StatusUpdate>,
    store: Store,
    watch: Watch,
    cache: ObjectCache,
    writer: StatusWriter,
    /// The last published snapshot is outdated, or there is none.
    is_dirty: bool,
}

impl EventLoop {
    /// Reads all objects of the store.
    pub(super) fn new(store: Store, controller: Option<GatewayController>, feed: Feed) -> Self {
        let mut cache = ObjectCache::new(store.catalog());
        let (watch, objects) = list(&store);
        cache.replace(&objects, &mut BTreeSet::new());
        Self {
            status: feed.status(),
            feed,
            watch,
            cache,
            writer: StatusWriter::new(store.clone(), controller),
            store,
            is_dirty: true,
        }
    }

    /// Runs until the store is closed.
    pub(super) async fn run(mut self) -> Result<(), SourceError> {
        loop {
            self.writer.advance(&self.cache);
            tokio::select! {
                changes = self.watch.next() => match changes {
                    Ok(None) => return Ok(()),
                    changes => self.on_changes(changes),
                },
                Ok(()) = self.status.changed() => {
                    let update = self.status.borrow_and_update().clone();
                    self.writer.set_update(update);
                }
                event = self.writer.next() => self.writer.handle(event, &mut self.cache),
                () = self.feed.until_wanted(), if self.is_dirty => {
                    self.drain().await;
                    self.is_dirty = false;
                    self.feed.publish(self.cache.snapshot());
                }
            }
        }
    }

    /// Applies the changes that have arrived: a snapshot that contains only the first of them would
    /// have to be replaced at once.
    async fn drain(&mut self) {
        let deadline = Instant::now() + MAX_DRAIN;
        while Instant::now() < deadline {
            let changes = tokio::select! {
                biased;
                changes = self.watch.next() => changes,
                () = ready(()) => return,
            };
            // The watch reports the end of the store again.
            if matches!(changes, Ok(None)) {
                return;
            }
            self.on_changes(changes);
        }
    }

    /// Applies changes; lists all objects again if the history no longer has the next change.
    fn on_changes(&mut self, changes: Result<Option<Vec<Change>>, ReadError>) {
        let mut touched = BTreeSet::new();
        match changes {
            Ok(changes) => {
                for change in changes.iter().flatten() {
                    self.is_dirty |= self.cache.apply(change, &mut touched);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "changes arrive faster than they are read; listing all objects");
                let (watch, objects) = list(&self.store);
                self.watch = watch;
                self.is_dirty |= self.cache.replace(&objects, &mut touched);
            }
        }
        self.writer.touch(touched);
    }
}

/// Returns all objects of the store, and a watch of the changes after that.
fn list(store: &Store) -> (Watch, Vec<Arc<StoredObject>>) {
    loop {
        let (revision, objects) = store.snapshot();
        // The watch fails if the whole history has been replaced since the list.
        if let Ok(watch) = store.watch(WatchScope::all(), revision) {
            return (watch, objects);
        }
    }
}
