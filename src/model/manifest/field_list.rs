//! The fields of a mapping: an ordered list with a search by key.

use std::borrow::Cow;
use std::collections::HashMap;

use super::node_id::NodeId;
use super::position::Position;

/// Number of fields up to which a scan is faster than a hash map.
const MAX_SCANNED: usize = 16;

/// Key and value of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field<'a> {
    pub(super) key: Cow<'a, str>,
    /// Position of the key.
    pub(super) position: Position,
    pub(super) value: NodeId,
}

/// Fields of a mapping, in their order. The keys are unique.
///
/// A search takes constant time, so that many errors in one large mapping take linear time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FieldList<'a> {
    fields: Vec<Field<'a>>,
    /// Position of each key in `fields`, once there are many.
    #[expect(clippy::box_collection, reason = "a node stays small; few mappings have an index")]
    index: Option<Box<HashMap<Cow<'a, str>, usize>>>,
}

impl<'a> FieldList<'a> {
    pub(super) fn as_slice(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// Returns the field of this name.
    pub(super) fn get(&self, key: &str) -> Option<&Field<'a>> {
        self.position(key).map(|position| &self.fields[position])
    }

    /// Returns the position of the field of this name in the list.
    pub(super) fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            None => self.fields.iter().position(|field| field.key == key),
            Some(index) => index.get(key).copied(),
        }
    }

    /// Adds a field. Its key must be new.
    pub(super) fn push(&mut self, field: Field<'a>) {
        match &mut self.index {
            Some(index) => _ = index.insert(field.key.clone(), self.fields.len()),
            None if self.fields.len() == MAX_SCANNED => {
                let keys = self.fields.iter().map(|field| &field.key).chain([&field.key]);
                self.index = Some(Box::new(keys.cloned().zip(0..).collect()));
            }
            None => {}
        }
        self.fields.push(field);
    }

    /// Replaces the field at a position by one with the same key.
    pub(super) fn replace(&mut self, position: usize, field: Field<'a>) {
        self.fields[position] = field;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_is_found_in_short_and_long_lists() {
        let mut list = FieldList::default();
        for number in 0..3 * MAX_SCANNED {
            assert_eq!(list.get(&number.to_string()), None);
            list.push(Field {
                key: number.to_string().into(),
                position: Position::new(number, 1),
                value: NodeId::ROOT,
            });
            for earlier in 0..=number {
                let found = list.get(&earlier.to_string()).unwrap();
                assert_eq!((found.key.parse(), found.position.line()), (Ok(earlier), earlier));
            }
        }
    }
}
