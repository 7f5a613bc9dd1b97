//! The open connections to the health endpoints.

use std::collections::VecDeque;

use tokio::task::{AbortHandle, spawn};

/// The open connections, from the oldest to the newest. Their number is bounded.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: VecDeque<AbortHandle>,
    limit: usize,
}

impl Connections {
    /// Returns an empty set for `limit` connections.
    pub(super) fn new(limit: usize) -> Self {
        Self { tasks: VecDeque::with_capacity(limit), limit }
    }

    /// Serves a connection by running `task`. If there are too many connections, closes the oldest.
    pub(super) fn insert(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.retain(|task| !task.is_finished());
        while self.tasks.len() >= self.limit {
            self.close_oldest();
        }
        self.tasks.push_back(spawn(task).abort_handle());
    }

    /// Closes the oldest connection. Returns `false` if there is none.
    ///
    /// It has not sent a complete request: a complete one is answered in the poll that reads its
    /// end, and the connection is closed. The socket is closed as soon as the runtime is idle or
    /// the caller yields.
    pub(super) fn close_oldest(&mut self) -> bool {
        self.tasks.retain(|task| !task.is_finished());
        let oldest = self.tasks.pop_front();
        if let Some(task) = &oldest {
            task.abort();
        }
        oldest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use tokio::task::yield_now;

    use super::*;

    /// Adds its number to a list when it is dropped.
    struct Connection(usize, Arc<Mutex<Vec<usize>>>);

    impl Drop for Connection {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[tokio::test]
    async fn oldest_connection_is_closed_for_a_new_one() {
        let closed = Arc::<Mutex<Vec<usize>>>::default();
        let mut connections = Connections::new(3);
        for number in 0..6 {
            let connection = Connection(number, closed.clone());
            connections.insert(async move {
                let _connection = connection;
                // The second one is answered.
                if number != 1 {
                    pending().await
                }
            });
            yield_now().await;
        }
        assert_eq!(*closed.lock().unwrap(), [1, 0, 2]);
        assert!(connections.close_oldest());
        assert!(connections.close_oldest());
        assert!(connections.close_oldest());
        assert!(!connections.close_oldest());
        yield_now().await;
        assert_eq!(*closed.lock().unwrap(), [1, 0, 2, 3, 4, 5]);
    }
}
