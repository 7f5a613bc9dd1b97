//! The user of a request, for as long as the token is valid.

use std::sync::Arc;

use tokio::sync::watch;

use super::identity::Identity;
use super::token::TokenHash;
use super::token_set::TokenSet;

/// User of a request that [`Access`](super::Access) has allowed, and the validity of the token.
#[derive(Debug, Clone)]
pub(in crate::api) struct Session {
    identity: Identity,
    token: TokenHash,
    tokens: watch::Receiver<Arc<TokenSet>>,
}

impl Session {
    /// Returns the session of a token, if it is in the set.
    pub(super) fn find(token: TokenHash, tokens: &watch::Sender<Arc<TokenSet>>) -> Option<Self> {
        // A subscription after the lookup would miss a change between them.
        let tokens = tokens.subscribe();
        let current = tokens.borrow().clone();
        let identity = current.find(&token)?.clone();
        Some(Self { identity, token, tokens })
    }

    pub(in crate::api) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Waits until the token is removed, or gets another user or another role. An answer that takes
    /// long, such as a watch, must end then.
    pub(in crate::api) fn revoked(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let Self { identity, token, mut tokens } = self.clone();
        async move {
            let is_gone = |tokens: &Arc<TokenSet>| tokens.find(&token) != Some(&identity);
            // An error means that the access control was dropped, so that no token changes.
            if tokens.wait_for(is_gone).await.is_err() {
                std::future::pending().await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::api::access::role::Role;

    fn tokens(users: &[(&str, &str, Role)]) -> Arc<TokenSet> {
        let mut tokens = TokenSet::default();
        for (token, name, role) in users {
            tokens.insert(TokenHash::of(token), Identity::new(name, *role));
        }
        tokens.into()
    }

    #[test]
    fn token_is_revoked_if_it_is_gone_or_has_another_user() {
        let (a, b) = (("a", "alice", Role::Edit), ("b", "bob", Role::View));
        for (changes, is_revoked) in [
            (vec![tokens(&[a]), tokens(&[b, a])], false),
            (vec![tokens(&[b])], true),
            (vec![tokens(&[])], true),
            (vec![tokens(&[("a", "alice", Role::View), b])], true),
            (vec![tokens(&[("a", "carol", Role::Edit)])], true),
        ] {
            let sender = watch::Sender::new(tokens(&[a, b]));
            let session = Session::find(TokenHash::of("a"), &sender).unwrap();
            assert_eq!(session.identity().name(), "alice");
            let (mut early, cx) =
                (pin!(session.revoked()), &mut Context::from_waker(Waker::noop()));
            assert!(early.as_mut().poll(cx).is_pending());
            for change in &changes {
                sender.send_replace(change.clone());
                assert_eq!(early.as_mut().poll(cx).is_ready(), is_revoked, "{changes:?}");
                // The token may be revoked before the answer begins.
                assert_eq!(pin!(session.revoked()).poll(cx).is_ready(), is_revoked);
            }
            drop(sender);
            assert_eq!(pin!(session.revoked()).poll(cx).is_ready(), is_revoked);
        }
    }

    #[test]
    fn unknown_token_has_no_session() {
        let sender = watch::Sender::new(tokens(&[]));
        assert!(Session::find(TokenHash::of("a"), &sender).is_none());
    }
}
