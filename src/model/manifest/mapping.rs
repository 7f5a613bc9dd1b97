//! Building a mapping: duplicate keys and merge keys.
//!
//! A merge key, `<<: *defaults`, adds the fields of other mappings. A field that is set after it
//! replaces a merged one. kubectl lets a merge key replace a field that is set *before* it, though
//! the field has precedence by the [specification][spec]; such a mapping is ambiguous and refused.
//!
//! [spec]: https://yaml.org/type/merge.html

use std::borrow::Cow;

use super::field_list::Field;
use super::field_list::FieldList;
use super::position::Position;

/// A mapping of which some fields have been parsed.
#[derive(Debug, Default)]
pub(super) struct PartialMapping<'a> {
    fields: FieldList<'a>,
    /// The number of the merge key from which a field comes; 0 for a field of the mapping itself.
    origins: Vec<u32>,
    merges: u32,
    key: Option<Key<'a>>,
}

/// A key whose value has not been parsed yet.
#[derive(Debug)]
pub(super) enum Key<'a> {
    Field(Cow<'a, str>, Position),
    Merge(Position),
    /// A key that cannot be used. Its value is dropped.
    Invalid,
}

impl<'a> PartialMapping<'a> {
    /// Returns `true` if the next node is a key.
    pub(super) fn expects_key(&self) -> bool {
        self.key.is_none()
    }

    pub(super) fn set_key(&mut self, key: Key<'a>) {
        self.key = Some(key);
    }

    /// Returns the key of the value that is being parsed.
    pub(super) fn take_key(&mut self) -> Option<Key<'a>> {
        self.key.take()
    }

    /// Returns the name of the field that is being parsed.
    pub(super) fn current_field(&self) -> Option<&str> {
        match &self.key {
            Some(Key::Field(name, _)) => Some(name),
            Some(Key::Merge(_)) => Some("<<"),
            Some(Key::Invalid) | None => None,
        }
    }

    /// Adds a field.
    ///
    /// # Errors
    /// Returns the position of the first field if the key is already set. The first field stays.
    pub(super) fn insert(&mut self, field: Field<'a>) -> Result<(), Position> {
        match self.fields.position(&field.key) {
            Some(existing) if self.origins[existing] == 0 => {
                return Err(self.fields.as_slice()[existing].position);
            }
            Some(merged) => {
                self.fields.replace(merged, field);
                self.origins[merged] = 0;
            }
            None => self.push(field, 0),
        }
        Ok(())
    }

    /// Begins the fields of a merge key. Of several mappings under one merge key, the first one
    /// that has a field sets it.
    pub(super) fn begin_merge(&mut self) {
        self.merges += 1;
    }

    /// Adds a field of a merged mapping.
    ///
    /// # Errors
    /// Returns the position of the existing field if it is set before the merge key.
    pub(super) fn merge(&mut self, field: &Field<'a>) -> Result<(), Position> {
        match self.fields.position(&field.key) {
            Some(existing) if self.origins[existing] == self.merges => {}
            Some(existing) => return Err(self.fields.as_slice()[existing].position),
            None => self.push(field.clone(), self.merges),
        }
        Ok(())
    }

    pub(super) fn into_fields(self) -> FieldList<'a> {
        self.fields
    }

    fn push(&mut self, field: Field<'a>, origin: u32) {
        self.fields.push(field);
        self.origins.push(origin);
    }
}
