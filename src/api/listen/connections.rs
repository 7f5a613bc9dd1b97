//! The open connections, and the limit of their number.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::progress::Progress;
use super::settings::ListenSettings;
use crate::api::access::{ClientConnection, Identity};
use crate::store::LogInterval;

/// Shortest time between two log lines about closed connections of users.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Open connections, from the oldest to the newest. Their number is limited.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    open: VecDeque<OpenConnection>,
    max: usize,
    /// Share of the connections with a valid token.
    max_authenticated: usize,
    log_interval: LogInterval,
}

#[derive(Debug)]
struct OpenConnection {
    task: AbortHandle,
    client: ClientConnection,
    progress: Progress,
}

impl Connections {
    /// Returns an empty set with the limits of the settings.
    pub(super) fn new(settings: &ListenSettings) -> Self {
        Self {
            tasks: JoinSet::new(),
            open: VecDeque::new(),
            max: settings.max_connections,
            max_authenticated: settings.max_authenticated(),
            log_interval: LogInterval::new(LOG_INTERVAL),
        }
    }

    /// Serves a connection by running a future. At the limit, closes another one first.
    pub(super) fn insert(
        &mut self,
        client: ClientConnection,
        progress: Progress,
        serve: impl Future<Output = ()> + Send + 'static,
    ) {
        if self.open.len() >= self.max {
            self.make_room();
        }
        let task = self.tasks.spawn(serve);
        self.open.push_back(OpenConnection { task, client, progress });
    }

    /// Closes a connection that serves no client with a valid token, or no request. Returns `false`
    /// if there is none.
    pub(super) fn close_unused(&mut self) -> bool {
        self.close_oldest(|it| !it.client.is_authenticated())
            || self.close_oldest(|it| it.progress.is_idle())
    }

    /// Closes a connection without a valid token or, if those with a valid token exceed their
    /// share, one of the user who has most.
    ///
    /// So clients without a valid token never reduce the share of the others, and no user can take
    /// all connections. The connection of a client with a valid token can be closed before its
    /// first request has arrived, if enough clients without one connect until then.
    fn make_room(&mut self) {
        let authenticated = self.open.iter().filter(|it| it.client.is_authenticated()).count();
        if authenticated <= self.max_authenticated {
            self.close_oldest(|it| !it.client.is_authenticated());
            return;
        }
        let mut counts = HashMap::<_, usize>::new();
        for user in self.open.iter().filter_map(|it| it.client.user()) {
            *counts.entry(user).or_default() += 1;
        }
        let largest = counts.into_iter().max_by_key(|(_, count)| *count);
        let Some((user, count)) = largest else { return };
        let is_of_user = |it: &OpenConnection| it.client.user().as_ref() == Some(&user);
        if !self.close_oldest(|it| is_of_user(it) && it.progress.is_idle()) {
            self.close_oldest(is_of_user);
        }
        self.log_closed(&user, count);
    }

    fn close_oldest(&mut self, is_closed: impl Fn(&OpenConnection) -> bool) -> bool {
        let index = self.open.iter().position(is_closed);
        let closed = index.and_then(|index| self.open.remove(index));
        if let Some(closed) = &closed {
            closed.task.abort();
        }
        closed.is_some()
    }

    fn log_closed(&mut self, user: &Identity, connections: usize) {
        if !self.log_interval.begin(Instant::now().into_std()) {
            return;
        }
        tracing::warn!(
            user = user.name(),
            role = %user.role(),
            connections,
            limit = self.max_authenticated,
            "too many connections to the API with a valid token: closed one of the user with the \
             most connections; look for a client of this user that opens connections and does not \
             close them"
        );
    }

    /// Waits until a connection ends. Pending if there is none.
    pub(super) async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(_) => self.open.retain(|it| !it.task.is_finished()),
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

    use tokio::task::yield_now;

    use super::*;
    use crate::api::access::Role;

    /// Adds its number to a list when it is dropped.
    struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

    impl Drop for Numbered {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn settings(max_connections: usize) -> ListenSettings {
        ListenSettings::new().with_max_connections(max_connections)
    }

    /// Returns the client of a connection with a token of this user, or without a token.
    fn client(user: &str) -> ClientConnection {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let client = ClientConnection::new(address, address);
        if !user.is_empty() {
            client.note_user(&Identity::new(user, Role::View));
        }
        client
    }

    fn idle() -> Progress {
        let progress = Progress::new();
        progress.note_request();
        progress.note_answer();
        progress
    }

    fn busy() -> Progress {
        let progress = Progress::new();
        progress.note_request();
        progress
    }

    /// Inserts connections of these users, and returns the numbers of those that were closed.
    async fn closed(max_connections: usize, clients: &[(&str, Progress)]) -> Vec<usize> {
        let closed = Arc::<Mutex<Vec<usize>>>::default();
        let mut connections = Connections::new(&settings(max_connections));
        for (number, (user, progress)) in clients.iter().enumerate() {
            let numbered = Numbered(number, closed.clone());
            connections.insert(client(user), progress.clone(), async move {
                let _numbered = numbered;
                pending().await
            });
            yield_now().await;
        }
        closed.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn clients_without_a_token_displace_only_each_other() {
        let users = ["a", "", "", "a", "", "", ""].map(|user| (user, busy()));
        assert_eq!(closed(3, &users).await, [1, 2, 4, 5]);
    }

    #[tokio::test]
    async fn user_with_most_connections_loses_one() {
        // Seven of eight connections are for users.
        let mut users: Vec<_> =
            ["b", "a", "a", "a", "c", "a", "a", "a"].map(|it| (it, busy())).into();
        assert!(closed(8, &users).await.is_empty());
        users.extend(["", "b", "", ""].map(|user| (user, busy())));
        // The first new connection finds eight users. The next ones find seven, and one without.
        assert_eq!(closed(8, &users).await, [1, 8, 2, 10]);
    }

    #[tokio::test]
    async fn idle_connections_are_closed_first() {
        let mut users: Vec<_> = ["a", "b", "a", "a"].map(|user| (user, busy())).into();
        users[3].1 = idle();
        users.push(("", busy()));
        assert_eq!(closed(4, &users).await, [3]);
    }

    #[tokio::test]
    async fn unused_connections_are_closed_on_request() {
        let mut connections = Connections::new(&settings(9));
        for (user, progress) in [("a", busy()), ("a", idle()), ("", busy())] {
            connections.insert(client(user), progress, pending());
        }
        assert!(connections.close_unused() && connections.close_unused());
        assert!(!connections.close_unused());
        assert_eq!(connections.open.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn ended_connection_leaves_room() {
        let mut connections = Connections::new(&settings(2));
        connections.insert(client("a"), busy(), async {});
        connections.insert(client("a"), busy(), pending());
        connections.ended().await;
        assert_eq!(connections.open.len(), 1);
        let ended = timeout(Duration::from_secs(60), connections.ended()).await;
        assert!(ended.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn drain_ends_early_or_at_its_limit() {
        let start = Instant::now();
        let limit = Duration::from_secs(5);
        let mut connections = Connections::new(&settings(2));
        let short = tokio::time::sleep(Duration::from_secs(1));
        connections.insert(client("a"), busy(), short);
        connections.drain(limit).await;
        assert_eq!(start.elapsed().as_secs(), 1);
        let mut connections = Connections::new(&settings(2));
        connections.insert(client("a"), busy(), pending());
        connections.drain(limit).await;
        assert_eq!(start.elapsed().as_secs(), 6);
    }
}
