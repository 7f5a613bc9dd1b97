//! The tokens that are accepted.

use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::identity::Identity;
use super::token::TokenHash;

/// Tokens that are accepted, as hashes, with their users.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenSet(Vec<(TokenHash, Identity)>);

impl TokenSet {
    /// Adds a token. Returns `false` if it is there already.
    pub(super) fn insert(&mut self, hash: TokenHash, identity: Identity) -> bool {
        let is_new = self.find(&hash).is_none();
        if is_new {
            self.0.push((hash, identity));
        }
        is_new
    }

    /// Adds the tokens of another set.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Finds the user of a token. The time depends on the number of tokens only: all of them are
    /// compared, and the index is selected without a branch.
    pub(super) fn find(&self, hash: &TokenHash) -> Option<&Identity> {
        let mut found = u32::MAX;
        for (index, (candidate, _)) in (0..).zip(&self.0) {
            // The first of two equal tokens counts.
            let is_first = candidate.is_equal(hash) & found.ct_eq(&u32::MAX);
            found.conditional_assign(&index, is_first);
        }
        let index = usize::try_from(found).ok()?;
        self.0.get(index).map(|(_, identity)| identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::access::role::Role;

    #[test]
    fn tokens_are_found_by_their_hash() {
        let mut set = TokenSet::default();
        assert_eq!(set.find(&TokenHash::of("a")), None);
        for name in ["a", "b", "c"] {
            assert!(set.insert(TokenHash::of(name), Identity::new(name, Role::View)));
        }
        for name in ["a", "b", "c"] {
            assert_eq!(set.find(&TokenHash::of(name)).unwrap().name(), name);
        }
        assert_eq!(set.find(&TokenHash::of("d")), None);
        assert!(!set.insert(TokenHash::of("b"), Identity::new("other", Role::Edit)));
        assert_eq!((set.len(), set.find(&TokenHash::of("b")).unwrap().name()), (3, "b"));
    }

    #[test]
    fn first_of_two_sets_has_precedence() {
        let (mut first, mut second) = (TokenSet::default(), TokenSet::default());
        first.insert(TokenHash::of("a"), Identity::new("first", Role::Admin));
        second.insert(TokenHash::of("a"), Identity::new("second", Role::View));
        first.extend(&second);
        assert_eq!(first.find(&TokenHash::of("a")).unwrap().name(), "first");
    }
}
