//! Finding the position of a field in a document.

use std::collections::HashMap;

use super::position::Position;
use super::tree::{NodeId, Tree, Value};

/// Number of fields up to which a scan is faster than a hash map.
const MAX_SCANNED: usize = 16;

/// Finds the fields of an object by their paths.
///
/// Rules that span fields are checked on the typed object, which has no positions.
#[derive(Debug)]
pub(super) struct Locator<'t> {
    tree: &'t Tree<'t>,
    object: NodeId,
    /// The fields of large mappings, so that finding many fields takes linear time.
    indexes: HashMap<NodeId, HashMap<&'t str, NodeId>>,
}

impl<'t> Locator<'t> {
    pub(super) fn new(tree: &'t Tree<'t>, object: NodeId) -> Self {
        Self { tree, object, indexes: HashMap::new() }
    }

    /// Returns the position of the field at `path`, or of the innermost part of the path that
    /// exists.
    pub(super) fn locate(&mut self, path: &str) -> Position {
        let mut node = self.object;
        let mut rest = path;
        while let Some((child, after)) = self.step(node, rest) {
            (node, rest) = (child, after);
        }
        self.tree.position(node)
    }

    /// Follows the first step of a path such as `a[2].b`. Returns the node and the rest of the
    /// path.
    fn step<'p>(&mut self, node: NodeId, path: &'p str) -> Option<(NodeId, &'p str)> {
        let path = path.strip_prefix('.').unwrap_or(path);
        let (name, rest) = match path.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?,
            None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
        };
        let child = match self.tree.value(node) {
            Value::List(items) => items.get(name.parse::<usize>().ok()?).copied()?,
            Value::Mapping(_) => self.field(node, name)?,
            _ => return None,
        };
        Some((child, rest))
    }

    fn field(&mut self, mapping: NodeId, name: &str) -> Option<NodeId> {
        let tree = self.tree;
        let fields = tree.fields(mapping);
        if fields.len() <= MAX_SCANNED {
            return tree.field(mapping, name).map(|field| field.value);
        }
        let index = self
            .indexes
            .entry(mapping)
            .or_insert_with(|| fields.iter().map(|field| (&*field.key, field.value)).collect());
        index.get(name).copied()
    }
}
