//! Reading one document: its head, then the typed object, then the rules that span fields.

use super::fault::Fault;
use super::locate::locate;
use super::split::Document;
use super::{Announced, Content, Entry, Head, list};
use crate::model::object::{Object, ObjectKey, ObjectKind};
use crate::model::reference::GATEWAY_GROUP;

/// The entries of one document: one, or those of a list.
pub(super) fn read(document: &Document<'_>) -> Vec<Entry> {
    let head: Head = match serde_yaml::from_str(document.text) {
        Ok(head) => head,
        Err(_) => return vec![unreadable(document)],
    };
    if let Some(items) = head.items.get()
        && let Some(kind) = head.kind.get()
        && let Some(item_kind) = kind.strip_suffix("List")
    {
        return list::read(document, head.api_version.get(), item_kind, items);
    }
    let (key, content) = match head.announced() {
        Announced::Foreign(what) => (None, Content::Foreign(what)),
        Announced::Unreadable(message) => {
            (None, Content::Faulty(vec![at(document, "", None, message)]))
        }
        Announced::Ours(kind, version) => typed(document, kind, &version, head.key(kind)),
    };
    vec![Entry { line: document.line, key, content }]
}

/// A document that is not even YAML, or whose top is not a mapping.
fn unreadable(document: &Document<'_>) -> Entry {
    let fault = match serde_yaml::from_str::<Head>(&document.padded()) {
        Err(error) => Fault::from_yaml(&error, None, document.line),
        Ok(_) => at(document, "", None, "cannot be read".to_owned()),
    };
    Entry { line: document.line, key: None, content: Content::Faulty(vec![fault]) }
}

/// The object, under its own key; or what is wrong, under the key that the head seems to give.
fn typed(
    document: &Document<'_>,
    kind: ObjectKind,
    version: &str,
    key: Option<ObjectKey>,
) -> (Option<ObjectKey>, Content) {
    let mut unknown = Vec::new();
    let fault = match deserialize(document.text, kind, &mut unknown) {
        Ok(object) => {
            return (Some(object.key()), check(document, "", object, version, &unknown));
        }
        Err(_) => match deserialize(&document.padded(), kind, &mut Vec::new()) {
            Err(error) => Fault::from_yaml(&error, key.clone(), document.line),
            Ok(_) => at(document, "", key.clone(), "cannot be read".to_owned()),
        },
    };
    (key, Content::Faulty(vec![fault]))
}

fn deserialize(
    text: &str,
    kind: ObjectKind,
    unknown: &mut Vec<String>,
) -> Result<Object, serde_yaml::Error> {
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(written(&path));
    let deserializer = serde_yaml::Deserializer::from_str(text);
    kind.deserialize(serde_ignored::Deserializer::new(deserializer, &mut note))
}

/// Checks an object that has been read: unknown fields, then the rules of its kind.
///
/// `prefix` is the object's own path in the document, for the items of a list.
pub(super) fn check(
    document: &Document<'_>,
    prefix: &str,
    object: Object,
    version: &str,
    unknown: &[String],
) -> Content {
    let key = object.key();
    let fault = |field: &str, message: String| {
        at_field(document, prefix, field, Some(key.clone()), message)
    };
    let faults: Vec<_> = unknown
        .iter()
        .filter(|field| is_checked(object.kind(), field))
        .map(|field| fault(field, "is not a known field; is it misspelt?".to_owned()))
        .chain(
            object.validate(version).into_iter().map(|broken| fault(&broken.field, broken.message)),
        )
        .collect();
    if faults.is_empty() { Content::Object(object) } else { Content::Faulty(faults) }
}

/// Kinds of Gateway API are modelled whole, so a field that is not known is a mistake, as it is for
/// `kubectl apply`. Of Kubernetes' own kinds only what routing needs is modelled.
fn is_checked(kind: ObjectKind, field: &str) -> bool {
    let root = field.split(['.', '[']).next().unwrap_or_default();
    kind.group() == GATEWAY_GROUP && !["apiVersion", "kind", "metadata", "status"].contains(&root)
}

fn at(document: &Document<'_>, field: &str, object: Option<ObjectKey>, message: String) -> Fault {
    at_field(document, "", field, object, message)
}

pub(super) fn at_field(
    document: &Document<'_>,
    prefix: &str,
    field: &str,
    object: Option<ObjectKey>,
    message: String,
) -> Fault {
    let (line, column) = locate(&document.padded(), &format!("{prefix}.{field}"));
    Fault { line, column, object, field: field.to_owned(), message }
}

/// A path in the notation of this crate: `a.b[2].c`.
pub(super) fn written(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", written(parent)),
        Path::Map { parent, key } => match written(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => written(parent),
    }
}
