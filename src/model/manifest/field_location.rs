//! Finding the position of a field in a document.

use super::node_id::NodeId;
use super::position::Position;
use super::tree::{Tree, Value};

/// Returns the position of the field at `path` in an object, or of the innermost part of the path
/// that exists.
///
/// Rules that span fields are checked on the typed object, which has no positions.
pub(super) fn locate(tree: &Tree<'_>, object: NodeId, path: &str) -> Position {
    let mut node = object;
    let mut rest = path;
    while let Some((child, after)) = step(tree, node, rest) {
        (node, rest) = (child, after);
    }
    tree.position(node)
}

/// Follows the first step of a path such as `a[2].b`. Returns the node and the rest of the path.
fn step<'p>(tree: &Tree<'_>, node: NodeId, path: &'p str) -> Option<(NodeId, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let (name, rest) = match path.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
    };
    let child = match tree.value(node) {
        Value::List(items) => *items.get(name.parse::<usize>().ok()?)?,
        Value::Mapping(fields) => fields.get(name)?.value,
        _ => return None,
    };
    Some((child, rest))
}
