//! The open connections, and the limit of their number.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::api::access::ClientConnection;

/// Open connections, from the oldest to the newest. Their number is limited.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    open: VecDeque<(AbortHandle, ClientConnection)>,
    limit: usize,
}

impl Connections {
    /// Returns an empty set for `limit` connections.
    pub(super) fn new(limit: usize) -> Self {
        Self { tasks: JoinSet::new(), open: VecDeque::new(), limit }
    }

    /// Returns `true` if a connection can be accepted, perhaps after another one is closed.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < self.limit
            || self.open.iter().any(|(_, connection)| !connection.is_authenticated())
    }

    /// Serves a connection by running a future. At the limit, closes another one.
    pub(super) fn insert(
        &mut self,
        connection: ClientConnection,
        serve: impl Future<Output = ()> + Send + 'static,
    ) {
        if self.open.len() >= self.limit {
            self.close_one();
        }
        let task = self.tasks.spawn(serve);
        self.open.push_back((task, connection));
    }

    /// Closes the oldest connection without a valid token. Returns `false` if there is none.
    ///
    /// The connection of a client with a token can be closed only before its first request has
    /// arrived, if until then as many clients without a token connect as the limit allows.
    pub(super) fn close_one(&mut self) -> bool {
        let index = self.open.iter().position(|(_, connection)| !connection.is_authenticated());
        let closed = index.and_then(|index| self.open.remove(index));
        if let Some((task, _)) = &closed {
            task.abort();
        }
        closed.is_some()
    }

    /// Waits until a connection ends. Pending if there is none.
    pub(super) async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(_) => self.open.retain(|(task, _)| !task.is_finished()),
            None => std::future::pending().await,
        }
    }

    /// Waits until all connections have ended, and closes the others after `limit`.
    pub(super) async fn drain(mut self, limit: Duration) {
        let ended = timeout(limit, async { while self.tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::debug!(
                connections = self.tasks.len(),
                "closing the connections to the API that did not end in time"
            );
            self.tasks.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::SocketAddr;
    use std::sync::{Arc, Mutex};

    use http::Request;
    use tokio::task::yield_now;
    use tokio::time::Instant;

    use super::*;
    use crate::api::access::{Access, Role, Token};
    use crate::api::request::{Attributes, Query};

    /// Adds its number to a list when it is dropped.
    struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

    impl Drop for Numbered {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn connection(is_authenticated: bool) -> ClientConnection {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let connection = ClientConnection::new(address, address);
        if is_authenticated {
            let token: Token = "0123456789abcdef0123456789abcdef".parse().unwrap();
            let access = Access::builder().token("a", Role::Admin, &token).build().unwrap();
            let request = Request::builder()
                .header("host", "127.0.0.1")
                .header("authorization", format!("Bearer {}", token.reveal()))
                .extension(connection.clone());
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let attributes = Attributes::new(&parts, &Query::default());
            access.check(&parts, &attributes).unwrap();
        }
        connection
    }

    #[tokio::test(start_paused = true)]
    async fn oldest_connection_without_a_token_is_closed_for_a_new_one() {
        let closed = Arc::<Mutex<Vec<usize>>>::default();
        let mut connections = Connections::new(3);
        for (number, is_authenticated) in [true, false, false, true, false].into_iter().enumerate()
        {
            assert!(connections.has_room());
            let numbered = Numbered(number, closed.clone());
            connections.insert(connection(is_authenticated), async move {
                let _numbered = numbered;
                pending().await
            });
            yield_now().await;
        }
        assert_eq!(*closed.lock().unwrap(), [1, 2]);
        assert!(connections.close_one());
        assert!(!connections.close_one());
        connections.insert(connection(true), pending());
        assert!(!connections.has_room());
    }

    #[tokio::test(start_paused = true)]
    async fn ended_connection_leaves_room() {
        let mut connections = Connections::new(2);
        connections.insert(connection(true), async {});
        connections.insert(connection(true), pending());
        assert!(!connections.has_room());
        connections.ended().await;
        assert!(connections.has_room());
        let ended = timeout(Duration::from_secs(60), connections.ended()).await;
        assert!(ended.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn drain_ends_early_or_at_its_limit() {
        let start = Instant::now();
        let limit = Duration::from_secs(5);
        let mut connections = Connections::new(2);
        connections.insert(connection(true), tokio::time::sleep(Duration::from_secs(1)));
        connections.drain(limit).await;
        assert_eq!(start.elapsed().as_secs(), 1);
        let mut connections = Connections::new(2);
        connections.insert(connection(true), pending());
        connections.drain(limit).await;
        assert_eq!(start.elapsed().as_secs(), 6);
    }
}
