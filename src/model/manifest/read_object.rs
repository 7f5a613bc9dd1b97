//! Reading one object: the typed fields, then unknown fields, then the rules that span fields.

use serde::Deserializer;
use serde_ignored::Path;

use super::entry::{Content, Entry};
use super::error::ManifestError;
use super::field_location::locate;
use super::header::DeclaredKind;
use super::split::Document;
use crate::model::object::Object;
use crate::model::object_key::ObjectKey;
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;

/// Message for a document or item that the parser rejects without an error of its own.
pub(super) const UNPARSABLE: &str = "cannot be parsed as YAML or JSON; correct the document";

/// An object with the paths of the fields that its type does not have.
#[derive(Debug)]
pub(super) struct ParsedObject {
    object: Object,
    unknown_fields: Vec<String>,
}

/// Deserializes an object and collects its unknown fields.
pub(super) fn parse_object<'de, D: Deserializer<'de>>(
    kind: ObjectKind,
    deserializer: D,
) -> Result<ParsedObject, D::Error> {
    let mut unknown_fields = Vec::new();
    let mut collect = |path: Path<'_>| unknown_fields.push(field_path(&path));
    let object = kind.deserialize(serde_ignored::Deserializer::new(deserializer, &mut collect))?;
    Ok(ParsedObject { object, unknown_fields })
}

/// Reads the object that a header declares.
///
/// `prefix` is the object's path in the document: empty, or `items[2]` in a list. `parse` is called
/// for a supported kind. The entry has the key of the object, or else the key in the header.
pub(super) fn read_object(
    document: &Document<'_>,
    prefix: &str,
    declared: DeclaredKind,
    parse: impl FnOnce(ObjectKind) -> Result<ParsedObject, ManifestError>,
) -> Entry {
    let (key, content) = match declared {
        DeclaredKind::Unsupported(description) => (None, Content::Unsupported(description)),
        DeclaredKind::Invalid(message) => {
            (None, Content::Invalid(vec![error_at(document, prefix, "", None, message)]))
        }
        DeclaredKind::Supported { kind, version, key } => match parse(kind) {
            Ok(parsed) => (Some(parsed.object.key()), check(document, prefix, parsed, &version)),
            Err(error) => {
                let error = error.in_object(prefix, key.clone());
                (key, Content::Invalid(vec![error]))
            }
        },
    };
    Entry { line: document.line, key, content }
}

/// Checks the unknown fields of an object and the rules of its kind.
fn check(document: &Document<'_>, prefix: &str, parsed: ParsedObject, version: &str) -> Content {
    let ParsedObject { object, unknown_fields } = parsed;
    let key = object.key();
    let error = |field: &str, message: String| {
        error_at(document, prefix, field, Some(key.clone()), message)
    };
    let errors: Vec<_> = unknown_fields
        .iter()
        .filter(|field| is_checked(object.kind(), field))
        .map(|field| {
            error(
                field,
                format!("is not a field of {}; correct or remove it", object.kind().as_str()),
            )
        })
        .chain(
            object.validate(version).into_iter().map(|broken| error(&broken.field, broken.message)),
        )
        .collect();
    if errors.is_empty() { Content::Object(object) } else { Content::Invalid(errors) }
}

/// Returns `true` if an unknown field is an error. The kinds of Gateway API are modelled
/// completely, and `kubectl apply` rejects such a field too. Of the kinds of Kubernetes, the model
/// has only the fields that routing needs.
fn is_checked(kind: ObjectKind, field: &str) -> bool {
    let root = field.split(['.', '[']).next().unwrap_or_default();
    kind.group() == GATEWAY_GROUP && !["apiVersion", "kind", "metadata", "status"].contains(&root)
}

/// Returns an error with the position of a field.
pub(super) fn error_at(
    document: &Document<'_>,
    prefix: &str,
    field: &str,
    object: Option<ObjectKey>,
    message: String,
) -> ManifestError {
    let (line, column) = locate(&document.padded(), &format!("{prefix}.{field}"));
    ManifestError { line, column, object, field: field.to_owned(), message }
}

/// Returns a path in the notation of this crate: `a.b[2].c`.
fn field_path(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", field_path(parent)),
        Path::Map { parent, key } => match field_path(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => field_path(parent),
    }
}
