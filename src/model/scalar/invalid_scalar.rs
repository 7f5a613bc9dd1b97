//! Error of a scalar that is out of its range.

/// A value that its type cannot hold, and what the type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct InvalidScalar {
    /// The value as it was given.
    pub found: String,
    /// What is allowed, as a noun phrase.
    pub expected: &'static str,
}
