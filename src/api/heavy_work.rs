//! Requests that need much CPU time.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::access::Identity;
use super::context::Context;
use super::request::{ResourceRequest, Verb};
use super::status::Status;
use super::user_limit::{UserLimit, UserPermit};
use crate::schema::FieldSelector;

/// Size in bytes of a body or an object above which the work on it is heavy.
const HEAVY_BYTES: usize = 64 << 10;

/// Maximum number of heavy reads that run at the same time, and of heavy writes. It bounds the
/// memory of their values, and the CPU time that they take from the connections of the gateway.
const MAX_HEAVY: usize = 2;

/// Maximum number of heavy reads that run or wait, and of heavy writes. Each user gets a share.
const MAX_WAITING: usize = 32;

/// Longest time that a heavy request waits for others. Each takes much less, so the usual cause of
/// such a wait is a disk that hangs.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Runs heavy requests in blocking tasks, so that the worker threads of the runtime are free for
/// small ones.
///
/// Reads and writes have a queue each: a write can take long while the disk hangs, and a read must
/// not wait for it.
#[derive(Debug)]
pub(super) struct HeavyWork {
    reads: Queue,
    writes: Queue,
}

/// Heavy requests that wait in the order of their arrival.
#[derive(Debug)]
struct Queue {
    permits: Arc<Semaphore>,
    users: UserLimit,
}

impl HeavyWork {
    pub(super) fn new() -> Self {
        Self { reads: Queue::new("large reads"), writes: Queue::new("large writes") }
    }

    /// Waits for a permit, polls `work` to its end in a blocking task of the runtime, and returns
    /// its result. `work` answers a request of `user`.
    ///
    /// If the caller drops the returned future before it has a permit, `work` is never polled. If
    /// the caller drops it later, `work` still runs to its end.
    ///
    /// # Errors
    /// Returns the Status to answer if there is no permit: the user has too many heavy requests, no
    /// permit was returned in time, or the runtime is shutting down.
    pub(super) async fn run<T>(
        &self,
        verb: Verb,
        user: &Identity,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Status>
    where
        T: Send + 'static,
    {
        let queue = if verb.is_read() { &self.reads } else { &self.writes };
        let permits = queue.acquire(user).await?;
        let runtime = Handle::current();
        let task = spawn_blocking(move || {
            // A write holds its permit while it waits for the disk, because its values are still in
            // memory.
            let _permits = permits;
            runtime.block_on(work)
        });
        match task.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(result) => Ok(result),
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(Status::closed()),
        }
    }
}

impl Queue {
    fn new(subject: &'static str) -> Self {
        let users = UserLimit::new(MAX_WAITING, subject);
        Self { permits: Arc::new(Semaphore::new(MAX_HEAVY)), users }
    }

    /// Waits for the permit of a request.
    async fn acquire(&self, user: &Identity) -> Result<(UserPermit, OwnedSemaphorePermit), Status> {
        let of_user = self.users.acquire(user)?;
        match timeout(MAX_WAIT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok((of_user, permit)),
            Ok(Err(_)) => Err(Status::closed()),
            Err(_) => {
                let message = format!(
                    "the request did not start within {} s: other large requests are still \
                     running; try again later",
                    MAX_WAIT.as_secs()
                );
                Err(Status::too_many_requests(message, 1))
            }
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

#[cfg(test)]
mod tests {
    use tokio::task::{JoinSet, yield_now};

    use super::*;
    use crate::api::access::Role;

    /// Takes all permits.
    async fn occupy(queue: &Queue) -> OwnedSemaphorePermit {
        let all = u32::try_from(MAX_HEAVY).unwrap();
        queue.permits.clone().acquire_many_owned(all).await.unwrap()
    }

    fn user(name: &str) -> Identity {
        Identity::new(name, Role::Edit)
    }

    #[tokio::test(start_paused = true)]
    async fn reads_do_not_wait_for_writes_and_a_wait_is_bounded() {
        let heavy = HeavyWork::new();
        let writes = occupy(&heavy.writes).await;
        assert_eq!(heavy.run(Verb::Get, &user("a"), async { 1 }).await.unwrap(), 1);
        let status = heavy.run(Verb::Update, &user("a"), async { 1 }).await.unwrap_err();
        assert_eq!((status.code().as_u16(), status.retry_after_seconds()), (429, Some(1)));
        drop(writes);
        assert_eq!(heavy.run(Verb::Update, &user("a"), async { 1 }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn user_has_a_share_of_the_heavy_requests_that_wait() {
        let heavy = Arc::new(HeavyWork::new());
        let reads = occupy(&heavy.reads).await;
        let (a, b) = (user("a"), user("b"));
        let mut waiting = JoinSet::new();
        for user in std::iter::repeat_n(&a, MAX_WAITING / 2).chain([&b]) {
            let (heavy, user) = (heavy.clone(), user.clone());
            waiting.spawn(async move { heavy.run(Verb::List, &user, async {}).await.is_ok() });
        }
        yield_now().await;
        let status = heavy.run(Verb::List, &a, async {}).await.unwrap_err();
        let message = serde_json::to_value(status).unwrap()["message"].to_string();
        assert!(
            message.contains("has too many large reads: 16, and 15 of 32 are free"),
            "{message}"
        );
        drop(reads);
        assert!(waiting.join_all().await.into_iter().all(|is_ok| is_ok));
        heavy.run(Verb::List, &a, async {}).await.unwrap();
    }
}
