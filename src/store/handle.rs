//! The handle of a store.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, oneshot, watch};

use super::disk::{Folder, Medium, OpenError};
use super::error::{ReadError, WriteError};
use super::key::Key;
use super::list::{ListPage, ListQuery};
use super::page::read_page;
use super::request::{Message, Request};
use super::resource::Catalog;
use super::revision::Revision;
use super::settings::Settings;
use super::start::start;
use super::state::SharedState;
use super::stored_object::StoredObject;
use super::watch::{Watch, WatchScope};
use super::write::{Durability, Write, WriteResult};
use super::writer_thread::WriterThread;

/// Maximum size of all requests that wait for the writer, in KiB. Further callers wait.
const QUEUE_KIB: u32 = 32 << 10;

/// Objects with the semantics of Kubernetes' API.
///
/// A clone is another handle of the same store. The store is closed when the last handle is
/// dropped, which waits until the file is closed; [`close`](Self::close) waits without blocking the
/// caller's thread. Both stop waiting for a disk that hangs after 10 s
/// ([`Settings::with_close_timeout`]), and log an error. No runtime is needed: any executor can
/// wait for the futures.
///
/// ```
/// use serde_json::json;
/// use sluicegate::store::{Catalog, Key, ListQuery, ResourceRules};
/// use sluicegate::store::{Settings, Store, WatchScope, Write};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut catalog = Catalog::new();
/// let config_maps = catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap"));
/// let store = Store::in_memory(catalog, Settings::new())?;
///
/// let object = json!({
///     "apiVersion": "v1", "kind": "ConfigMap",
///     "metadata": {"name": "greeting"}, "data": {"text": "hello"},
/// });
/// store.write(Write::create(&config_maps, Some("default"), object)).await?;
///
/// let page = store.list(&ListQuery::new(&config_maps), |_| true)?;
/// let mut watch = store.watch(WatchScope::resource(&config_maps), page.revision)?;
/// let mut changed = page.objects[0].to_value();
/// changed["data"]["text"] = json!("good evening");
/// let key = Key::namespaced(&config_maps, "default", "greeting");
/// // The resourceVersion in the metadata is a precondition.
/// store.write(Write::replace(key.clone(), changed)).await?;
///
/// let changes = watch.next().await?.expect("the store is open");
/// assert_eq!(changes[0].object().to_value()["data"]["text"], "good evening");
/// assert_eq!(store.get(&key).unwrap().revision(), watch.revision());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Store(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    state: SharedState,
    newest: watch::Receiver<Revision>,
    catalog: Catalog,
    sender: Sender<Message>,
    queue: Arc<Semaphore>,
    is_closed: AtomicBool,
    thread: Mutex<WriterThread>,
}

impl Store {
    /// Creates an empty store in memory.
    ///
    /// # Errors
    /// Returns an error if the thread of the store cannot be started.
    pub fn in_memory(catalog: Catalog, settings: Settings) -> Result<Self, OpenError> {
        Self::start(Medium::Memory, catalog, settings)
    }

    /// Opens the store in a data folder, or creates it.
    ///
    /// The folder gets the mode 0700 if this creates it or if it contains nothing else; the files
    /// have the mode 0600. Objects of resources that the catalog does not have stay in the file,
    /// and are not served.
    ///
    /// # Errors
    /// Returns an error if another process uses the folder, if the file has a format of another
    /// version or is damaged, and if the folder cannot be used.
    pub fn open(
        folder: impl AsRef<Path>,
        catalog: Catalog,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let folder = Folder::open(folder.as_ref(), settings.is_used_folder)?;
        Self::start(Medium::open(folder)?, catalog, settings)
    }

    pub(super) fn start(
        disk: Medium,
        catalog: Catalog,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let started = start(disk, catalog.clone(), settings)?;
        Ok(Self(Arc::new(Handle {
            state: started.state,
            newest: started.newest,
            catalog,
            sender: started.sender,
            queue: Arc::new(Semaphore::new(QUEUE_KIB as usize)),
            is_closed: AtomicBool::new(false),
            thread: Mutex::new(started.thread),
        })))
    }

    /// Returns the resources of the store.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Returns the newest revision.
    pub fn revision(&self) -> Revision {
        self.0.state.read().revision()
    }

    /// Returns an object.
    pub fn get(&self, key: &Key) -> Option<Arc<StoredObject>> {
        self.0.state.read().objects().get(key).cloned()
    }

    /// Returns the objects of a resource at one revision that match `filter`, up to the limit of
    /// the query.
    ///
    /// # Errors
    /// Returns an error if the revision of the query, or of its token, is not in the history.
    pub fn list(
        &self,
        query: &ListQuery,
        filter: impl Fn(&StoredObject) -> bool,
    ) -> Result<ListPage, ReadError> {
        read_page(&self.0.state, query, filter)
    }

    /// Returns all objects of all resources at one revision.
    pub fn snapshot(&self) -> (Revision, Vec<Arc<StoredObject>>) {
        let state = self.0.state.read();
        (state.revision(), state.objects().iter().cloned().collect())
    }

    /// Returns the changes of a scope after a revision.
    ///
    /// # Errors
    /// Returns an error if the revision is not in the history.
    pub fn watch(&self, scope: WatchScope, after: Revision) -> Result<Watch, ReadError> {
        Watch::new(self.0.state.clone(), self.0.newest.clone(), scope, after)
    }

    /// Changes an object, and returns when the change is on disk and readers see it.
    ///
    /// Writes that wait at the same time share an fsync. If the future is dropped, the write may
    /// still be carried out.
    ///
    /// # Errors
    /// Returns an error if a precondition or a rule does not hold, and if the change cannot be
    /// stored. Then no reader sees the change. After [`WriteError::StorageFull`],
    /// [`WriteError::StorageUnavailable`] and [`WriteError::StorageMisplaced`], it is in the store
    /// after all if the process ends before the disk works again, and the disk had stored it. After
    /// [`WriteError::Interrupted`], readers may see it.
    pub async fn write(&self, write: Write) -> Result<WriteResult, WriteError> {
        let mut results = self.write_all(vec![write], Durability::Synced).await;
        results.pop().unwrap_or(Err(WriteError::Closed))
    }

    /// Changes several objects in one transaction on disk. Returns a result for each write; a
    /// refused write does not affect the others.
    pub async fn write_all(
        &self,
        writes: Vec<Write>,
        durability: Durability,
    ) -> Vec<Result<WriteResult, WriteError>> {
        let count = writes.len();
        let writes: Vec<_> = writes.into_iter().map(Write::prepare).collect();
        let bytes: usize = writes.iter().flatten().map(|write| write.len()).sum();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(QUEUE_KIB).min(QUEUE_KIB);
        let closed = || vec![Err(WriteError::Closed); count];
        if self.0.is_closed.load(Ordering::Acquire) {
            return closed();
        }
        let Ok(permit) = self.0.queue.clone().acquire_many_owned(kib).await else {
            return closed();
        };
        let (reply, answer) = oneshot::channel();
        let request = Request { writes, durability, reply, _permit: permit };
        if self.0.sender.send(Message::Write(request)).is_err() {
            return closed();
        }
        answer.await.unwrap_or_else(|_| {
            // A closed store answers all requests of its queue, unless they arrived too late.
            let is_closed = self.0.is_closed.load(Ordering::Acquire);
            let error = if is_closed { WriteError::Closed } else { WriteError::Interrupted };
            vec![Err(error); count]
        })
    }

    /// Closes the store, and returns when its file is closed. Watches end, writes are refused, and
    /// reads continue.
    ///
    /// If the disk hangs, it returns after the [timeout](Settings::with_close_timeout). A thread
    /// then waits for the disk, the folder stays locked until the disk answers or the process ends,
    /// and the file is checked when it is opened again.
    pub async fn close(&self) {
        self.0.close();
        let (sender, closed) = oneshot::channel::<()>();
        let handle = self.0.clone();
        // The timeout needs a thread, as there may be no runtime with timers.
        let join = move || {
            handle.join();
            drop(sender);
        };
        match thread::Builder::new().name("sluicegate-close".to_owned()).spawn(join) {
            // The thread drops the sender when the writer has ended.
            Ok(_) => _ = closed.await,
            Err(_) => self.0.join(),
        }
    }
}

impl Handle {
    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // Sending fails if the thread has ended already.
        _ = self.sender.send(Message::Close);
    }

    fn join(&self) {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).join();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
        self.join();
    }
}
