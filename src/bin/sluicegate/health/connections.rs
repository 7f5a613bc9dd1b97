//! The open connections to the health endpoints.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, spawn};
use tokio::time::Instant;

/// Age up to which a silent connection is not closed for a new one, if another can be closed. The
/// request of a probe arrives earlier.
const PROTECTED_AGE: Duration = Duration::from_millis(100);

/// The open connections, from the oldest to the newest. Their number is bounded.
#[derive(Debug)]
pub(super) struct Connections {
    open: VecDeque<Connection>,
    limit: usize,
}

#[derive(Debug)]
struct Connection {
    task: AbortHandle,
    opened: Instant,
    has_received: Received,
}

/// Notes that a connection has received a part of a request. A connection that has received a
/// complete one is answered in the same poll, and closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Received(Arc<AtomicBool>);

impl Received {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connections {
    /// Returns an empty set for `limit` connections.
    pub(super) fn new(limit: usize) -> Self {
        Self { open: VecDeque::with_capacity(limit), limit }
    }

    /// Serves a connection by running `serve`. If there are too many connections, closes one.
    pub(super) fn insert<F>(&mut self, serve: impl FnOnce(Received) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.remove_finished();
        while self.open.len() >= self.limit {
            self.close_one();
        }
        let has_received = Received::default();
        let task = spawn(serve(has_received.clone())).abort_handle();
        self.open.push_back(Connection { task, opened: Instant::now(), has_received });
    }

    /// Closes a connection. Returns `false` if there is none.
    ///
    /// It is the oldest one if that is not protected by its age; else the oldest one with a part of
    /// a request, since a probe sends its request in one segment; else the oldest one. The socket
    /// is closed as soon as the runtime is idle or the caller yields.
    pub(super) fn close_one(&mut self) -> bool {
        self.remove_finished();
        let Some(oldest) = self.open.front() else { return false };
        let index = if oldest.opened.elapsed() >= PROTECTED_AGE {
            0
        } else {
            let has_part = |connection: &Connection| connection.has_received.is_noted();
            self.open.iter().position(has_part).unwrap_or(0)
        };
        if let Some(closed) = self.open.remove(index) {
            closed.task.abort();
        }
        true
    }

    fn remove_finished(&mut self) {
        self.open.retain(|connection| !connection.task.is_finished());
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    /// Adds its number to a list when it is dropped.
    struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

    impl Drop for Numbered {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    /// Inserts connections `numbers`. Those in `partial` receive a part of a request, and those in
    /// `answered` end.
    async fn insert(
        connections: &mut Connections,
        closed: &Arc<Mutex<Vec<usize>>>,
        numbers: std::ops::Range<usize>,
        partial: &[usize],
        answered: &[usize],
    ) {
        for number in numbers {
            let (numbered, is_answered) =
                (Numbered(number, closed.clone()), answered.contains(&number));
            connections.insert(|received| async move {
                let _numbered = numbered;
                if !is_answered {
                    pending().await
                }
                drop(received);
            });
            if partial.contains(&number) {
                connections.open.back().unwrap().has_received.note();
            }
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn oldest_connection_is_closed_for_a_new_one() {
        let closed = Arc::default();
        let mut connections = Connections::new(3);
        insert(&mut connections, &closed, 0..6, &[], &[1]).await;
        assert_eq!(*closed.lock().unwrap(), [1, 0, 2]);
        assert!(connections.close_one());
        assert!(connections.close_one());
        assert!(connections.close_one());
        assert!(!connections.close_one());
        yield_now().await;
        assert_eq!(*closed.lock().unwrap(), [1, 0, 2, 3, 4, 5]);
    }

    /// A probe on a busy host sends its request some time after it connects.
    #[tokio::test(start_paused = true)]
    async fn silent_connection_is_kept_for_a_tenth_of_a_second_while_parts_arrive() {
        let closed = Arc::<Mutex<Vec<usize>>>::default();
        let mut connections = Connections::new(4);
        insert(&mut connections, &closed, 0..1, &[], &[]).await;
        for number in 1..20 {
            advance(Duration::from_millis(5)).await;
            insert(&mut connections, &closed, number..number + 1, &[number], &[]).await;
        }
        let expected: Vec<_> = (1..17).collect();
        assert_eq!(*closed.lock().unwrap(), expected);
        advance(Duration::from_millis(5)).await;
        insert(&mut connections, &closed, 20..21, &[], &[]).await;
        assert_eq!(closed.lock().unwrap().last(), Some(&0));
    }

    #[tokio::test(start_paused = true)]
    async fn part_of_a_request_is_closed_before_young_silent_connections() {
        let closed = Arc::default();
        let mut connections = Connections::new(4);
        insert(&mut connections, &closed, 0..6, &[1, 3], &[]).await;
        assert_eq!(*closed.lock().unwrap(), [1, 3]);
        // 0, 2, 4 and 5 are left.
        insert(&mut connections, &closed, 6..7, &[6], &[]).await;
        assert_eq!(*closed.lock().unwrap(), [1, 3, 0]);
        advance(PROTECTED_AGE).await;
        insert(&mut connections, &closed, 7..8, &[], &[]).await;
        assert_eq!(*closed.lock().unwrap(), [1, 3, 0, 2]);
    }
}
