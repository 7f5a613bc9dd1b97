//! Error for an invalid scalar.

/// Error for a value that a scalar type does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct InvalidScalar {
    /// The value.
    pub found: String,
    /// Description of the allowed values.
    pub expected: &'static str,
}
