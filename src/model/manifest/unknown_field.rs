//! Fields that a kind does not have.

use super::field_list::Field;
use super::known_fields::{Known, KnownField, known_fields};
use super::node_id::NodeId;
use super::path::Path;
use super::position::Position;
use super::suggest::nearest;
use super::suspicious_character::{find_suspicious_character, remove_suspicious_characters};
use super::tree::{Tree, Value};
use crate::model::object_kind::ObjectKind;

/// A field that its object should not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownField {
    /// Position of the key.
    pub(super) position: Position,
    /// Path of the field in the object.
    pub(super) path: String,
    /// The field that may be meant.
    suggestion: Option<&'static str>,
    /// Description of the first character that a name cannot contain.
    suspicious_character: Option<String>,
}

impl UnknownField {
    /// Creates the value for a field of the mapping at `parent`, which may have the fields `known`.
    pub(super) fn new(
        position: Position,
        parent: &Path<'_>,
        name: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let path = Path::Field(parent, name).to_string();
        Self {
            position,
            path,
            suggestion: nearest(&remove_suspicious_characters(name), known),
            suspicious_character: find_suspicious_character(name),
        }
    }

    /// Returns the error message.
    pub(super) fn message(&self, kind: ObjectKind) -> String {
        let advice = match self.suggestion {
            Some(name) => format!("did you mean {name}?"),
            None => "correct or remove it".to_owned(),
        };
        match &self.suspicious_character {
            Some(found) => format!("contains {found}; {advice}"),
            None => format!("is not a field of {}; {advice}", kind.as_str()),
        }
    }

    /// Returns `true` for a field inside `spec`.
    pub(super) fn is_in_spec(&self) -> bool {
        self.path.starts_with("spec.")
    }
}

/// Returns the fields of an object that are not in the table of known fields.
pub(super) fn unknown_fields(
    tree: &Tree<'_>,
    object: NodeId,
    kind: ObjectKind,
) -> Vec<UnknownField> {
    let mut unknown = Vec::new();
    check(tree, object, known_fields(kind), &Path::Root, &mut unknown);
    unknown
}

/// Checks the fields of a mapping. A value of another type is left to the model.
fn check(
    tree: &Tree<'_>,
    mapping: NodeId,
    known: &'static [KnownField],
    path: &Path<'_>,
    unknown: &mut Vec<UnknownField>,
) {
    for Field { key, position, value } in tree.fields(mapping) {
        let Some(field) = known.iter().find(|field| field.name == key) else {
            let names = known.iter().map(|field| field.name);
            unknown.push(UnknownField::new(*position, path, key, names));
            continue;
        };
        let path = Path::Field(path, key);
        match (field.content, tree.value(*value)) {
            (Known::Mapping(inner), _) => check(tree, *value, inner, &path, unknown),
            (Known::List(inner), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    check(tree, *item, inner, &Path::Index(&path, index), unknown);
                }
            }
            _ => {}
        }
    }
}
