//! Injected faults.

use super::State;
use super::request::Request;

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is no, with this code.
    Refuse(u16),
    /// The connection breaks off.
    Break,
    /// It does not come before the server is healed.
    Hold,
    /// Request and response are delayed by up to 4 s each, and one in four is lost.
    Flaky,
}

#[derive(Debug)]
pub(super) struct Rule {
    /// Whose requests; everybody's where nobody is named.
    pub(super) client: Option<&'static str>,
    pub(super) verbs: &'static str,
    pub(super) plural: &'static str,
    pub(super) effect: Effect,
    /// So many requests are spared, and then so many are not.
    pub(super) after: usize,
    pub(super) times: usize,
}

impl Rule {
    fn is_about(&self, request: &Request) -> bool {
        self.plural == request.plural
            && self.client.is_none_or(|client| client == request.client)
            && self.times > 0
            && self.verbs.split(',').any(|verb| verb == request.verb)
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
