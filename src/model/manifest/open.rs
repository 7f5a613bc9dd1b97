//! Lists and mappings that are being parsed.

use std::fmt::Write as _;

use super::mapping::PartialMapping;
use super::node_id::NodeId;
use super::path::shorten;
use super::tree::Value;

/// A list or mapping whose end has not been parsed yet.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) node: NodeId,
    pub(super) anchor: usize,
    /// Number of nodes in it, with aliases expanded.
    pub(super) size: usize,
    pub(super) content: Partial<'a>,
}

/// The content of a list or mapping up to the current position.
#[derive(Debug)]
pub(super) enum Partial<'a> {
    List(Vec<NodeId>),
    Mapping(PartialMapping<'a>),
}

impl<'a> Partial<'a> {
    pub(super) fn into_value(self) -> Value<'a> {
        match self {
            Self::List(items) => Value::List(items),
            Self::Mapping(mapping) => Value::Mapping(mapping.into_fields()),
        }
    }
}

/// Returns the path of the innermost list or mapping.
pub(super) fn path_of_innermost(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for open in &open[..open.len().saturating_sub(1)] {
        match &open.content {
            Partial::List(items) => _ = write!(path, "[{}]", items.len()),
            Partial::Mapping(mapping) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path += &shorten(mapping.current_field().unwrap_or("?"));
            }
        }
    }
    path
}

/// Returns the index of the item of a list of objects that is being parsed.
pub(super) fn open_item(open: &[Open<'_>]) -> Option<usize> {
    match open {
        [
            Open { content: Partial::Mapping(root), .. },
            Open { content: Partial::List(items), .. },
            _,
            ..,
        ] if root.current_field() == Some("items") => Some(items.len()),
        _ => None,
    }
}
