//! The limit of open watches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::api::access::Identity;
use crate::api::status::Status;

/// Shortest time between two log lines about refused watches.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Limit of the watches that are open at the same time.
///
/// A user may open a watch only while they have fewer than are free (a dynamic threshold, as of
/// shared buffers in switches). So one user gets at most half of the watches, two get a third each,
/// and a further user always finds some.
#[derive(Debug)]
pub(in crate::api) struct WatchLimit {
    max: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    users: HashMap<Identity, usize>,
    last_logged: Option<Instant>,
}

/// Permit for one open watch. Its drop returns it to the [`WatchLimit`].
#[derive(Debug)]
pub(super) struct WatchPermit {
    state: Arc<Mutex<State>>,
    user: Identity,
}

impl WatchLimit {
    pub(in crate::api) fn new(max: usize) -> Self {
        Self { max, state: Arc::default() }
    }

    /// Counts a watch of a user.
    ///
    /// # Errors
    /// Returns the Status to answer if the user has as many watches as are free.
    pub(super) fn acquire(&self, user: &Identity) -> Result<WatchPermit, Status> {
        let mut state = lock(&self.state);
        let held = state.users.get(user).copied().unwrap_or_default();
        if held >= self.max.saturating_sub(state.open) {
            state.log_refusal(user, held, self.max);
            let message = format!(
                "user {:?} has {held} open watches, and all users together {} of {}; a user may \
                 have as many as are free; end some, or try again later",
                user.name(),
                state.open,
                self.max
            );
            return Err(Status::too_many_requests(message, 1));
        }
        state.open += 1;
        *state.users.entry(user.clone()).or_default() += 1;
        Ok(WatchPermit { state: self.state.clone(), user: user.clone() })
    }
}

impl State {
    fn log_refusal(&mut self, user: &Identity, held: usize, max: usize) {
        let now = Instant::now();
        if self.last_logged.is_some_and(|last| now.saturating_duration_since(last) < LOG_INTERVAL) {
            return;
        }
        self.last_logged = Some(now);
        tracing::warn!(
            user = user.name(),
            role = %user.role(),
            watches = held,
            all_watches = self.open,
            limit = max,
            "refused a watch of the API, because the user has as many as are free; look for a \
             client of this user that opens watches and does not end them"
        );
    }
}

impl Drop for WatchPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.open -= 1;
        if let Some(held) = state.users.get_mut(&self.user) {
            *held -= 1;
            if *held == 0 {
                state.users.remove(&self.user);
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::access::Role;

    /// Opens watches until one is refused.
    fn fill(limit: &WatchLimit, user: &Identity) -> Vec<WatchPermit> {
        std::iter::from_fn(|| limit.acquire(user).ok()).collect()
    }

    #[test]
    fn each_user_gets_as_many_watches_as_are_free() {
        let limit = WatchLimit::new(12);
        let [a, b, c] = ["a", "b", "c"].map(|name| Identity::new(name, Role::View));
        let first = fill(&limit, &a);
        assert_eq!(first.len(), 6);
        let second = fill(&limit, &b);
        assert_eq!(second.len(), 3);
        let third = fill(&limit, &c);
        assert_eq!(third.len(), 2);
        // The same name with another role is another token.
        let other = Identity::new("a", Role::Admin);
        assert_eq!(fill(&limit, &other).len(), 1);
        drop(first);
        assert_eq!(fill(&limit, &b).len(), 2);
        drop((second, third));
        assert!(lock(&limit.state).users.is_empty());
        assert_eq!(fill(&limit, &a).len(), 6);
    }

    #[test]
    fn refusal_names_the_user() {
        let limit = WatchLimit::new(2);
        let user = Identity::new("ci", Role::View);
        let _held = limit.acquire(&user).unwrap();
        let status = serde_json::to_value(limit.acquire(&user).unwrap_err()).unwrap();
        assert_eq!(status["code"], 429);
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("user \"ci\" has 1 open watches"), "{message}");
    }
}
