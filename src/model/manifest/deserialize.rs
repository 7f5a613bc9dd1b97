//! Deserializing objects from the tree of a document.

use std::cell::RefCell;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::deserialize_error::{DeserializeError, one_of};
use super::field_list::Field;
use super::node_id::NodeId;
use super::path::Path;
use super::position::Position;
use super::tree::{Tree, Value};
use super::unknown_field::UnknownField;
use crate::model::object::Object;
use crate::model::object_kind::ObjectKind;

/// Deserializes the object at a node. Also returns the fields that its type does not have.
pub(super) fn deserialize(
    tree: &Tree<'_>,
    node: NodeId,
    kind: ObjectKind,
) -> (Result<Object, DeserializeError>, Vec<UnknownField>) {
    let unknown = RefCell::default();
    let object = kind.deserialize(NodeDeserializer {
        tree,
        node,
        path: Path::Root,
        field: None,
        unknown: &unknown,
    });
    (object, unknown.into_inner())
}

/// Deserializes the value at a node into any type. The position of an error is that of the node in
/// which it occurs.
#[cfg(feature = "api")]
pub(super) fn deserialize_value<'de, T: serde::Deserialize<'de>>(
    tree: &'de Tree<'de>,
    node: NodeId,
) -> Result<T, DeserializeError> {
    let unknown = RefCell::default();
    T::deserialize(NodeDeserializer {
        tree,
        node,
        path: Path::Root,
        field: None,
        unknown: &unknown,
    })
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de, 'p> {
    tree: &'de Tree<'de>,
    node: NodeId,
    path: Path<'p>,
    /// The node's own field, and the fields of the type that contains it.
    field: Option<(Position, &'static [&'static str])>,
    unknown: &'p RefCell<Vec<UnknownField>>,
}

impl<'de> NodeDeserializer<'de, '_> {
    fn value(&self) -> &'de Value<'de> {
        self.tree.value(self.node)
    }

    fn visit<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        match self.value() {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::Unsigned(number) => visitor.visit_u64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { list: self, items, next: 0 }),
            Value::Mapping(entries) => {
                let entries = entries.as_slice();
                visitor.visit_map(Fields { mapping: self, entries, next: 0, fields })
            }
        }
        .map_err(|error| self.locate(error))
    }

    fn locate(&self, error: DeserializeError) -> DeserializeError {
        error.at(self.tree.position(self.node), &self.path)
    }

    fn unexpected(&self) -> Unexpected<'de> {
        match self.value() {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Integer(number) => Unexpected::Signed(*number),
            Value::Unsigned(number) => Unexpected::Unsigned(*number),
            Value::Float(number) => Unexpected::Float(*number),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Mapping(_) => Unexpected::Map,
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de, '_> {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.visit(&[], visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        match self.value() {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|error| self.locate(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_newtype_struct(self).map_err(|error| self.locate(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.visit(fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        match self.value() {
            Value::Text(text) => visitor.visit_enum((&**text).into_deserializer()),
            _ => Err(DeserializeError::unexpected(self.unexpected(), &one_of(variants))),
        }
        .map_err(|error| self.locate(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        if let (Path::Field(parent, name), Some((position, fields))) = (self.path, self.field) {
            self.unknown.borrow_mut().push(UnknownField::new(
                position,
                parent,
                name,
                fields.iter().copied(),
            ));
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'de, 'p> {
    list: NodeDeserializer<'de, 'p>,
    items: &'de [NodeId],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = DeserializeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeserializeError> {
        let Some(node) = self.items.get(self.next) else { return Ok(None) };
        let path = Path::Index(&self.list.path, self.next);
        self.next += 1;
        seed.deserialize(NodeDeserializer { node: *node, path, field: None, ..self.list }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Fields<'de, 'p> {
    mapping: NodeDeserializer<'de, 'p>,
    entries: &'de [Field<'de>],
    next: usize,
    /// The fields of the type into which the mapping is deserialized.
    fields: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = DeserializeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeserializeError> {
        let Some(entry) = self.entries.get(self.next) else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(&entry.key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DeserializeError> {
        let entry = &self.entries[self.next];
        self.next += 1;
        seed.deserialize(NodeDeserializer {
            node: entry.value,
            path: Path::Field(&self.mapping.path, &entry.key),
            field: Some((entry.position, self.fields)),
            ..self.mapping
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len() - self.next)
    }
}
