//! Identifiers of the nodes of a tree.

/// Index of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

impl NodeId {
    /// The first node, which is the root unless the tree is empty.
    pub(super) const ROOT: Self = Self(0);

    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 4 billion nodes"))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
