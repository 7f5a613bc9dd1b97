//! Injected faults, and changes that the server makes to objects that are written.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::request::Request;
use super::state::State;

/// Effect on a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is a refusal with this code.
    Refuse(u16),
    /// It is 403, because the quota of the namespace is exceeded.
    ExceedQuota,
    /// The connection is reset.
    Break,
    /// It is sent after the effects end.
    Hold,
    /// It is never sent, not even after the effects end.
    Lose,
    /// Its headers are sent, and nothing after them.
    Stall,
    /// Request and response are delayed by up to 4 s each, and one in four is lost.
    Flaky,
}

#[derive(Debug)]
pub(super) struct Rule {
    /// The client of the requests; `None` for all clients.
    pub(super) client: Option<&'static str>,
    /// The namespace of the requests; `None` for all requests.
    pub(super) namespace: Option<&'static str>,
    /// `*` stands for all verbs.
    pub(super) verbs: &'static str,
    /// `*` stands for all kinds.
    pub(super) plural: &'static str,
    pub(super) effect: Effect,
    /// Number of requests without the effect, and of those with it after them.
    pub(super) after: usize,
    pub(super) times: usize,
}

impl Rule {
    /// Returns a rule for all requests. Callers replace some of its fields.
    pub(super) fn all() -> Self {
        Self {
            client: None,
            namespace: None,
            verbs: "*",
            plural: "*",
            effect: Effect::Hold,
            after: 0,
            times: usize::MAX,
        }
    }

    fn is_about(&self, request: &Request) -> bool {
        (self.plural == "*" || self.plural == request.plural)
            && (self.namespace.is_none() || self.namespace == request.namespace.as_deref())
            && self.client.is_none_or(|client| client == request.client)
            && self.times > 0
            && self.verbs.split(',').any(|verb| verb == "*" || verb == request.verb)
    }
}

impl State {
    pub(super) fn is_held(&self, request: &Request) -> bool {
        self.rules.iter().any(|rule| rule.effect == Effect::Hold && rule.is_about(request))
    }

    pub(super) fn spoil(&mut self, request: &Request) -> Option<Effect> {
        let rule = self.rules.iter_mut().find(|rule| rule.is_about(request))?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.effect)
    }
}

/// A change that the server makes to each written object of a kind, as an admission webhook does,
/// or a definition that does not contain a field. The function returns `false` for an invalid
/// object.
#[derive(Clone)]
pub(super) struct Mutation {
    pub(super) plural: &'static str,
    pub(super) change: Arc<dyn Fn(&mut Value) -> bool + Send + Sync>,
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutation").field("plural", &self.plural).finish_non_exhaustive()
    }
}

impl State {
    /// Returns `false` if the object is invalid.
    pub(super) fn mutate(&self, request: &Request, object: &mut Value) -> bool {
        let mut mutations = self.mutations.iter();
        mutations.all(|mutation| mutation.plural != request.plural || (mutation.change)(object))
    }
}
