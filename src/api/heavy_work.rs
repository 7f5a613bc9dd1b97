//! Requests that need much CPU time.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::context::Context;
use super::request::{ResourceRequest, Verb};
use super::status::{Reason, Status};
use crate::schema::FieldSelector;

/// Size in bytes of a body or an object above which the work on it is heavy.
const HEAVY_BYTES: usize = 64 << 10;

/// Number of heavy requests that are worked on at the same time. It bounds the memory of their
/// values, and the CPU time that they take from the connections of the gateway.
const MAX_HEAVY: usize = 2;

/// Threads for heavy requests, so that the threads of the runtime are free for small ones. Further
/// heavy requests wait in the order of their arrival.
#[derive(Debug)]
pub(super) struct HeavyWork(Arc<Semaphore>);

impl HeavyWork {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_HEAVY)))
    }

    /// Runs a future to its end in a blocking task of the runtime.
    ///
    /// If the returned future is dropped while it waits for its turn, `work` does not begin. If it
    /// is dropped later, `work` continues.
    pub(super) async fn run<T>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Status>
    where
        T: Send + 'static,
    {
        let stopping = || {
            let message = "the server is shutting down; connect again";
            Status::failure(Reason::ServiceUnavailable, message)
        };
        let permit = self.0.clone().acquire_owned().await.map_err(|_| stopping())?;
        let runtime = Handle::current();
        let task = spawn_blocking(move || {
            let _permit = permit;
            runtime.block_on(work)
        });
        match task.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(result) => Ok(result),
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(stopping()),
        }
    }
}

/// Returns `true` if the work on a request may need much CPU time: it decodes, compares, checks or
/// renders large values. A list with a selector of fields other than name and namespace decodes
/// each object.
pub(super) fn is_heavy(context: &Context, request: &ResourceRequest, body_len: usize) -> bool {
    let reads_fields = || {
        let is_list = matches!(request.verb, Verb::List | Verb::DeleteCollection);
        let selector = request.query.get("fieldSelector").filter(|_| is_list).unwrap_or_default();
        let selector = FieldSelector::parse(selector, request.resource);
        // An invalid one is answered without reading objects.
        selector.is_ok_and(|selector| !selector.is_of_key())
    };
    let is_stored_large = || {
        let stored = request.key().and_then(|key| context.store.get(&key));
        stored.is_some_and(|object| object.json_len() > HEAVY_BYTES)
    };
    body_len > HEAVY_BYTES || reads_fields() || is_stored_large()
}
