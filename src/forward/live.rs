//! The live connections of a listener on one worker. A drain waits for them, and aborts them at its
//! deadline. An open connection occupies one slot, and causes no other work.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::engine::Engine;

/// The live connections of a listener on one worker, and the state that they share.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) worker: usize,
    pub(super) engine: Arc<Engine>,
    /// The address that clients connected to, if it is the same for all.
    pub(super) local: Option<SocketAddr>,
    tasks: Mutex<Slab<Option<AbortHandle>>>,
    left: Notify,
}

/// Guard of a connection in the set. Dropping it removes the connection.
#[derive(Debug)]
pub(super) struct Place {
    live: Arc<Live>,
    key: usize,
}

impl Live {
    pub(super) fn new(worker: usize, engine: Arc<Engine>, local: Option<SocketAddr>) -> Self {
        Self { worker, engine, local, tasks: Mutex::default(), left: Notify::new() }
    }

    /// Spawns the task of a connection on the worker, with its guard.
    pub(super) fn spawn<F>(self: &Arc<Self>, connection: impl FnOnce(Place) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let key = self.tasks().insert(None);
        let task = tokio::spawn(connection(Place { live: self.clone(), key }));
        // The slot is empty only if the runtime is shutting down and has dropped the task.
        // Otherwise the task cannot have run: this is the only thread of the worker.
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
