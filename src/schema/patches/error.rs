//! Errors of patches.

/// Error of [`apply_patch`](super::apply_patch).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The patch is not JSON, or not a list of operations.
    #[error("the patch is not a valid {expected}")]
    Malformed {
        /// Name of the format.
        expected: &'static str,
        /// Error of the parser.
        #[source]
        source: serde_json::Error,
    },
    /// The patch, or its result, is not an object.
    #[error("the patch and its result must be objects")]
    NotAnObject,
    /// The patch has too many operations.
    #[error("the allowed maximum operations in a JSON patch is {limit}, got {count}")]
    TooManyOperations {
        /// Number of operations.
        count: usize,
        /// Allowed number.
        limit: usize,
    },
    /// The operations of the patch copy, move or shift too much.
    #[error("the operations of the patch add, copy and move more than {limit} bytes of memory")]
    TooLarge {
        /// Allowed number of bytes.
        limit: usize,
    },
    /// The result is nested too deeply.
    #[error("the result of the patch is nested more than {limit} levels deep")]
    TooDeep {
        /// Allowed number of levels.
        limit: usize,
    },
    /// An operation cannot be applied to the object: a path does not exist, or a test fails.
    #[error("operation {index} of the JSON patch failed at `{path}`")]
    Operation {
        /// Index of the operation.
        index: usize,
        /// Path of the operation.
        path: String,
        /// Reason.
        #[source]
        source: json_patch::PatchErrorKind,
    },
    /// A directive of a strategic merge patch is malformed.
    #[error("invalid directive `{directive}` of a strategic merge patch: {expected}")]
    Directive {
        /// The directive.
        directive: String,
        /// Description of what is expected.
        expected: &'static str,
    },
    /// An item of a list in a strategic merge patch lacks the field that identifies it.
    #[error("an item of the list `{list}` does not contain the merge key `{merge_key}`")]
    NoMergeKey {
        /// Name of the list.
        list: String,
        /// Name of the field.
        merge_key: String,
    },
    /// The items of a list in a strategic merge patch, or in the object, are of several types, or
    /// are lists.
    #[error("the items of the list `{0}` must all be objects, or all be strings and numbers")]
    MixedList(String),
}

impl PatchError {
    /// Returns `true` if the patch itself is malformed (400), and `false` if it cannot be applied
    /// to the object (422) or exceeds a limit (413).
    pub const fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::NotAnObject | Self::Directive { .. })
    }

    /// Returns `true` if the patch exceeds a limit (413).
    pub const fn exceeds_limit(&self) -> bool {
        matches!(
            self,
            Self::TooManyOperations { .. } | Self::TooLarge { .. } | Self::TooDeep { .. }
        )
    }
}
