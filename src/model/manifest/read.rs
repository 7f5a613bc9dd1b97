//! Reading a manifest, document by document.

use super::entry::{Content, Entry};
use super::error::ManifestError;
use super::header::Header;
use super::list::read_items;
use super::read_object::{UNPARSABLE, error_at, parse_object, read_object};
use super::split::{Document, split};

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
/// assert!(errors[0].message.ends_with("expected a port from 1 to 65535"));
/// ```
pub fn read(text: &str) -> Vec<Entry> {
    split(text).flat_map(|document| read_document(&document)).collect()
}

/// Reads one document: one entry, or one for each item of a list.
pub fn read_document(document: &Document<'_>) -> Vec<Entry> {
    let Ok(header) = Header::parse(document.text) else {
        return vec![unreadable(document)];
    };
    match header.item_kinds() {
        Some(kinds) => read_items(document, kinds),
        None => vec![read_object(document, "", header.declared_kind(), |kind| {
            parse_object(kind, serde_yaml::Deserializer::from_str(document.text))
                .map_err(|error| ManifestError::from_yaml(&error, 1).in_document(document))
        })],
    }
}

/// Returns the entry of a document that is not YAML, or whose root is not a mapping.
fn unreadable(document: &Document<'_>) -> Entry {
    // The text of a syntax error can contain more line numbers. The empty lines of `padded` make
    // them line numbers of the stream.
    let error = match Header::parse(&document.padded()) {
        Err(error) => ManifestError::from_yaml(&error, document.line),
        Ok(_) => error_at(document, "", "", None, UNPARSABLE.to_owned()),
    };
    Entry { line: document.line, key: None, content: Content::Invalid(vec![error]) }
}
