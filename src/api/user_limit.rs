//! Limits of which each user gets a share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::access::Identity;
use super::status::Status;
use crate::store::LogInterval;

/// Shortest time between two log lines about refused requests of one kind.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Limit of requests of one kind, such as open watches, that are served at the same time.
///
/// A user may begin one only while they have fewer than are free (a dynamic threshold, as in the
/// shared buffers of switches). So one user gets at most half of them, two users get a third each,
/// and some are left for a further user.
#[derive(Debug)]
pub(super) struct UserLimit {
    max: usize,
    /// The requests, in the plural, for messages.
    subject: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    held: usize,
    users: HashMap<Identity, usize>,
    log_interval: LogInterval,
}

/// Permit for one request. Its drop returns it to the [`UserLimit`].
#[derive(Debug)]
pub(super) struct UserPermit {
    state: Arc<Mutex<State>>,
    user: Identity,
}

impl UserLimit {
    /// Creates a limit. `subject` names the requests, in the plural.
    pub(super) fn new(max: usize, subject: &'static str) -> Self {
        let log_interval = LogInterval::new(LOG_INTERVAL);
        let state = State { held: 0, users: HashMap::new(), log_interval };
        Self { max, subject, state: Arc::new(Mutex::new(state)) }
    }

    /// Counts a request of a user.
    ///
    /// # Errors
    /// Returns the Status to answer if the user does not have fewer requests than are free.
    pub(super) fn acquire(&self, user: &Identity) -> Result<UserPermit, Status> {
        let mut state = lock(&self.state);
        let held = state.users.get(user).copied().unwrap_or_default();
        if held >= self.max.saturating_sub(state.held) {
            state.log_refusal(user, held, self);
            let message = format!(
                "user {:?} has too many {}: {held}, and {} of {} are free. A user may begin one \
                 only while they have fewer than are free; end some of them, or try again \
                 later",
                user.name(),
                self.subject,
                self.max.saturating_sub(state.held),
                self.max
            );
            return Err(Status::too_many_requests(message, 1));
        }
        state.held += 1;
        *state.users.entry(user.clone()).or_default() += 1;
        Ok(UserPermit { state: self.state.clone(), user: user.clone() })
    }
}

impl State {
    fn log_refusal(&mut self, user: &Identity, held: usize, limit: &UserLimit) {
        if !self.log_interval.begin(Instant::now()) {
            return;
        }
        tracing::warn!(
            user = user.name(),
            role = %user.role(),
            requests = limit.subject,
            of_user = held,
            of_all_users = self.held,
            limit = limit.max,
            "refused a request to the API: the user must have fewer requests of this kind than are \
             free; look for a client of this user that begins many and does not end them"
        );
    }
}

impl Drop for UserPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.held -= 1;
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

    /// Acquires permits until one is refused.
    fn fill(limit: &UserLimit, user: &Identity) -> Vec<UserPermit> {
        std::iter::from_fn(|| limit.acquire(user).ok()).collect()
    }

    #[test]
    fn each_user_gets_as_many_as_are_free() {
        let limit = UserLimit::new(12, "open watches");
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
        let limit = UserLimit::new(2, "open watches");
        let user = Identity::new("ci", Role::View);
        let _held = limit.acquire(&user).unwrap();
        let status = serde_json::to_value(limit.acquire(&user).unwrap_err()).unwrap();
        assert_eq!(status["code"], 429);
        let message = status["message"].as_str().unwrap();
        assert!(
            message.starts_with("user \"ci\" has too many open watches: 1, and 1 of 2 are"),
            "{message}"
        );
    }
}
