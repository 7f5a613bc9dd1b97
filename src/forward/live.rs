//! The live connections of a listener on one worker, so that a drain can wait for them and, at its
//! deadline, end them. It costs a connection nothing while it lives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

#[derive(Debug, Default)]
pub(super) struct Live {
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut tasks = self.live.tasks();
        tasks.remove(self.key);
        if tasks.is_empty() {
            self.live.left.notify_one();
        }
    }
}
