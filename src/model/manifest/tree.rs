//! A parsed document: a tree of nodes with positions.
//!
//! The nodes are stored in one vector and refer to each other by index. An alias refers to the node
//! of its anchor, so that expanding aliases copies nothing.

use std::borrow::Cow;

use super::field_list::{Field, FieldList};
use super::node_id::NodeId;
use super::position::Position;

/// Tree of a document. Aliases and merge keys are expanded.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) position: Position,
    pub(super) value: Value<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer that `i64` cannot hold.
    Unsigned(u64),
    /// A number that is not an integer.
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<NodeId>),
    Mapping(FieldList<'a>),
}

impl<'a> Tree<'a> {
    pub(super) fn add(&mut self, position: Position, value: Value<'a>) -> NodeId {
        let id = NodeId::new(self.nodes.len());
        self.nodes.push(Node { position, value });
        id
    }

    /// Replaces the value of a node.
    pub(super) fn set(&mut self, id: NodeId, value: Value<'a>) {
        self.nodes[id.index()].value = value;
    }

    pub(super) fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.index()]
    }

    pub(super) fn value(&self, id: NodeId) -> &Value<'a> {
        &self.node(id).value
    }

    pub(super) fn position(&self, id: NodeId) -> Position {
        self.node(id).position
    }

    /// Returns `true` if the document contains no node.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the fields of a mapping; none for another value.
    pub(super) fn fields(&self, id: NodeId) -> &[Field<'a>] {
        match self.value(id) {
            Value::Mapping(fields) => fields.as_slice(),
            _ => &[],
        }
    }

    /// Returns the field of this name if the node is a mapping that has one.
    pub(super) fn field(&self, id: NodeId, name: &str) -> Option<&Field<'a>> {
        match self.value(id) {
            Value::Mapping(fields) => fields.get(name),
            _ => None,
        }
    }
}

impl Value<'_> {
    /// Returns the text, or `None` for another value.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns `true` for a whole number.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self, Value::Integer(_) | Value::Unsigned(_))
    }
}
