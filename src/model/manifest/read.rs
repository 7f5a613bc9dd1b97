//! Reading a manifest, document by document.

use super::build::{Failure, Parsed, parse};
use super::control_character::find_control_character;
use super::entry::{Content, Entry};
use super::error::ManifestError;
use super::header::{DeclaredKind, Header, Items};
use super::list::read_items;
use super::node_id::NodeId;
use super::read_object::ObjectNode;
use super::split::{Document, split};
use super::tree::{Tree, Value};

/// Reads all documents of a manifest.
///
/// ```
/// use sluicegate::model::manifest::{Content, read};
///
/// let entries = read("
/// kind: GatewayClass
/// apiVersion: gateway.networking.k8s.io/v1
/// metadata: {name: eg}
/// spec: {controllerName: example.com/gateway}
/// ---
/// kind: Gateway
/// apiVersion: gateway.networking.k8s.io/v1
/// metadata: {name: edge}
/// spec:
///   gatewayClassName: eg
///   listeners: [{name: db, protocol: TCP, port: 70000}]
/// ");
/// assert!(matches!(entries[0].content, Content::Object(_)));
/// let Content::Invalid(errors) = &entries[1].content else { panic!() };
/// assert_eq!(errors[0].line, 12);
/// assert_eq!(errors[0].field, "spec.listeners[0].port");
/// assert_eq!(errors[0].message, "found the number 70000, expected a port from 1 to 65535");
/// ```
pub fn read(text: &str) -> Vec<Entry> {
    split(text).flat_map(|document| read_document(&document)).collect()
}

/// Reads one document: one entry, or one for each item of a list. A document that is `null` has no
/// entry.
pub fn read_document(document: &Document<'_>) -> Vec<Entry> {
    let control_character = find_control_character(document.text);
    let readable = control_character.as_ref().map_or(document.text, |found| found.before);
    let Parsed { tree, problems, mut failure } = parse(&Document { text: readable, ..*document });
    if let Some(found) = control_character {
        failure = Some(Failure {
            position: document.position(found.position.line(), found.position.column()),
            message: found.message(),
            object: match failure {
                Some(failure) => failure.object,
                None => root(&tree).filter(|root| has_complete_metadata(&tree, *root)),
            },
        });
    }
    if let Some(failure) = failure {
        return vec![unreadable(document, &tree, failure)];
    }
    let Some(root) = root(&tree).filter(|root| *tree.value(*root) != Value::Null) else {
        return Vec::new();
    };
    let header = Header::new(&tree, root);
    let object = ObjectNode { tree: &tree, node: root, problems, line: document.line };
    match header.items() {
        Some(Items::Items(items)) => read_items(header, items, object),
        Some(Items::Invalid(error)) => {
            vec![object.read(DeclaredKind::Invalid(error))]
        }
        None => vec![object.read(header.declared_kind())],
    }
}

/// Returns `true` if another field follows the metadata. Otherwise the namespace may be missing.
fn has_complete_metadata(tree: &Tree<'_>, object: NodeId) -> bool {
    tree.fields(object).last().is_some_and(|last| last.key != "metadata")
}

fn root(tree: &Tree<'_>) -> Option<NodeId> {
    (!tree.is_empty()).then_some(NodeId::ROOT)
}

/// Returns the entry of a document that cannot be parsed.
///
/// Its error names the object in which parsing stopped. The entry itself has no key, since the rest
/// of the document may contain other objects.
fn unreadable(document: &Document<'_>, tree: &Tree<'_>, failure: Failure) -> Entry {
    let object = failure.object.and_then(|object| Header::new(tree, object).object_key());
    let error = ManifestError::new(failure.position, object, String::new(), failure.message);
    Entry { line: document.line, key: None, content: Content::Invalid(vec![error]) }
}
