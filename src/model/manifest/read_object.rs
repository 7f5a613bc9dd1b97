//! Reading one object: the typed fields, then unknown fields, then the rules that span fields.

use super::deserialize::deserialize;
use super::deserialize_error::DeserializeError;
use super::entry::{Content, Entry};
use super::error::ManifestError;
use super::field_location::locate;
use super::header::{DeclaredKind, HeaderError, UnsupportedKind};
use super::node_id::NodeId;
use super::position::Position;
use super::problem::Problem;
use super::references::read_unserved;
use super::tree::Tree;
use super::unknown_field::unknown_fields;
use crate::model::object::Object;
use crate::model::object_key::ObjectKey;
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;

/// An object in the tree of a document.
#[derive(Debug)]
pub(super) struct ObjectNode<'t> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) node: NodeId,
    /// Errors in the YAML of the object; their paths begin at the object.
    pub(super) problems: Vec<Problem>,
    /// Line on which the document begins.
    pub(super) line: usize,
}

impl ObjectNode<'_> {
    /// Reads the object as the kind that its header declares.
    ///
    /// The entry has the key of the object, or else the key in the header.
    pub(super) fn read(self, declared: DeclaredKind) -> Entry {
        let line = self.line;
        let (key, content) = match declared {
            DeclaredKind::Unsupported(unsupported) => self.unsupported(unsupported),
            DeclaredKind::Invalid(error) => self.invalid(error),
            DeclaredKind::Supported { kind, version, key } => self.supported(kind, &version, key),
        };
        Entry { line, key, content }
    }

    /// Returns the content for a kind that routing does not use. A key that is set twice is an
    /// error all the same: two objects without a marker between them look like this.
    fn unsupported(self, unsupported: UnsupportedKind) -> (Option<ObjectKey>, Content) {
        let UnsupportedKind { description, group_kind } = unsupported;
        let unserved =
            group_kind.and_then(|(group, kind)| read_unserved(self.tree, self.node, &group, &kind));
        let errors: Vec<_> =
            self.problems.into_iter().filter(Problem::is_at_root).map(|it| it.of(None)).collect();
        let content = match unserved {
            _ if !errors.is_empty() => Content::Invalid(errors),
            Some((key, object)) => Content::Unserved(key, object),
            None => Content::Unsupported(description),
        };
        (None, content)
    }

    fn invalid(self, error: HeaderError) -> (Option<ObjectKey>, Content) {
        let HeaderError { position, key, field, message } = error;
        // The document may contain any object, as in `supported`.
        let is_ambiguous = self.problems.iter().any(Problem::is_at_root);
        let problems = self.problems.into_iter().map(|problem| problem.of(key.clone()));
        let header = ManifestError::new(position, key.clone(), field.to_owned(), message);
        let errors = problems.chain([header]).collect();
        (key.filter(|_| !is_ambiguous), Content::Invalid(errors))
    }

    fn supported(
        self,
        kind: ObjectKind,
        version: &str,
        key: Option<ObjectKey>,
    ) -> (Option<ObjectKey>, Content) {
        let (object, ignored) = deserialize(self.tree, self.node, kind);
        let object_key = object.as_ref().map(Object::key).ok().or(key);
        let error = |position: Position, field: String, message: String| {
            ManifestError::new(position, object_key.clone(), field, message)
        };
        // Two objects without a marker between them look like one object with duplicate keys. Then
        // the document may contain any object.
        let is_ambiguous = self.problems.iter().any(Problem::is_at_root);
        let mut errors: Vec<_> =
            self.problems.into_iter().map(|problem| problem.of(object_key.clone())).collect();
        // The model is complete only for the specs of Gateway API.
        let in_model =
            ignored.into_iter().filter(|it| kind.group() == GATEWAY_GROUP && it.is_in_spec());
        let unknown = unknown_fields(self.tree, self.node, kind).into_iter().chain(in_model);
        errors.extend(unknown.map(|field| {
            let message = field.message(kind);
            error(field.position, field.path, message)
        }));
        match &object {
            Ok(object) => {
                errors.extend(object.validate(version).into_iter().map(|broken| {
                    let position = locate(self.tree, self.node, &broken.field);
                    error(position, broken.field, broken.message)
                }));
            }
            Err(DeserializeError { message, location, .. }) => {
                let (position, field) = location
                    .clone()
                    .unwrap_or_else(|| (self.tree.position(self.node), String::new()));
                errors.push(error(position, field, message.clone()));
            }
        }
        errors.sort_by_key(|error| (error.line, error.column));
        match object {
            Ok(object) if errors.is_empty() => (object_key, Content::Object(object)),
            _ => (object_key.filter(|_| !is_ambiguous), Content::Invalid(errors)),
        }
    }
}
