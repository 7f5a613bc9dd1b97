//! The live connections of a listener on one worker: what they have in common, and where they are,
//! so that a drain can wait for them and, at its deadline, end them. It costs a connection nothing
//! while it lives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::engine::Engine;

/// The live connections of a listener on one worker, and what they have in common.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) worker: usize,
    pub(super) engine: Arc<Engine>,
    /// The address that clients dialled, where it is the same for all.
    pub(super) local: Option<SocketAddr>,
    tasks: Mutex<Slab<Option<AbortHandle>>>,
    left: Notify,
}

/// A connection's place among the live ones; it leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    live: Arc<Live>,
    key: usize,
}

impl Live {
    pub(super) fn new(worker: usize, engine: Arc<Engine>, local: Option<SocketAddr>) -> Self {
        Self { worker, engine, local, tasks: Mutex::default(), left: Notify::new() }
    }

    /// Spawns a connection's task on the worker, with its place.
    pub(super) fn spawn<F>(self: &Arc<Self>, connection: impl FnOnce(Place) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let key = self.tasks().insert(None);
        let task = tokio::spawn(connection(Place { live: self.clone(), key }));
        // Gone already only where the runtime is shutting down: this worker's one thread is here.
        if let Some(place) = self.tasks().get_mut(key) {
            *place = Some(task.abort_handle());
        }
    }

    /// Waits until no connection is left.
    pub(super) async fn empty(&self) {
        while !self.tasks().is_empty() {
            self.left.notified().await;
        }
    }

    /// Ends all connections.
    pub(super) fn abort(&self) {
        let tasks: Vec<_> = self.tasks().iter().filter_map(|(_, task)| task.clone()).collect();
        tasks.iter().for_each(AbortHandle::abort);
    }

    fn tasks(&self) -> MutexGuard<'_, Slab<Option<AbortHandle>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn live(&self) -> &Live {
        &self.live
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tasks = self.live.tasks();
        tasks.remove(self.key);
        if tasks.is_empty() {
            self.live.left.notify_one();
        }
    }
}
