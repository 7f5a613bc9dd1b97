//! Headers: the fields of a document that identify its object.

use super::header_field::{describe_misspelt, find_misspelt_field};
use super::node_id::NodeId;
use super::position::Position;
use super::suggest_kind::{Misspelling, find_misspelling};
use super::suspicious_character::find_suspicious_character;
use super::tree::{Tree, Value};
use crate::model::meta::default_namespace;
use crate::model::object_key::ObjectKey;
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;
use crate::model::scalar::{NamespaceName, ObjectName};

/// The fields that identify the object at a node, or the objects of a list.
///
/// The header is read before the typed object, so that a document of another kind is skipped and an
/// error in the object can name it. Invalid metadata counts as absent here: the typed object
/// reports it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'t> {
    tree: &'t Tree<'t>,
    node: NodeId,
}

/// Kind of the object that a header declares.
#[derive(Debug)]
pub(super) enum DeclaredKind {
    /// A kind of this crate in a version that it reads; the key is absent if the header has no
    /// valid name.
    Supported { kind: ObjectKind, version: String, key: Option<ObjectKey> },
    /// A kind that routing does not use.
    Unsupported(UnsupportedKind),
    /// An object that cannot be read.
    Invalid(HeaderError),
}

/// A kind that routing does not use.
#[derive(Debug)]
pub(super) struct UnsupportedKind {
    pub(super) description: String,
    /// Group and kind, if the header has both.
    pub(super) group_kind: Option<(String, String)>,
}

/// Error in a header.
#[derive(Debug)]
pub(super) struct HeaderError {
    pub(super) position: Position,
    /// Key of the object if its kind is certain. Without a key, the last valid version of every
    /// object of the document stays in use.
    pub(super) key: Option<ObjectKey>,
    /// Path of the field in the object; empty for an error of the whole object.
    pub(super) field: &'static str,
    pub(super) message: String,
}

/// The items of a list, or the reason why there are none.
pub(super) enum Items<'t> {
    Items(&'t [NodeId]),
    Invalid(HeaderError),
}

impl UnsupportedKind {
    fn of_text(description: &str) -> DeclaredKind {
        let description = description.to_owned();
        DeclaredKind::Unsupported(Self { description, group_kind: None })
    }
}

impl<'t> Header<'t> {
    pub(super) fn new(tree: &'t Tree<'t>, node: NodeId) -> Self {
        Self { tree, node }
    }

    /// Returns the items if the object is a list.
    pub(super) fn items(self) -> Option<Items<'t>> {
        let kind = self.kind().ok().flatten()?;
        let Some(items) = self.tree.field(self.node, "items").map(|field| field.value) else {
            return is_list(kind).then_some(Items::Items(&[]));
        };
        match self.tree.value(items) {
            Value::List(items) if kind.ends_with("List") => Some(Items::Items(items)),
            Value::Null if is_list(kind) => Some(Items::Items(&[])),
            _ if is_list(kind) => Some(Items::Invalid(HeaderError {
                position: self.tree.position(items),
                key: None,
                field: "items",
                message: "must be a list of objects".to_owned(),
            })),
            _ => None,
        }
    }

    /// Returns the kind that an item of this list declares.
    ///
    /// The items of a typed list, such as a `GatewayList`, need not repeat their kind.
    pub(super) fn item_kind(self, item: NodeId) -> DeclaredKind {
        let item = Self { node: item, ..self };
        let default_kind = self.default_item_kind();
        match (item.kind(), default_kind) {
            _ if !item.is_mapping() && !self.kind().is_ok_and(|kind| kind.is_some_and(is_list)) => {
                UnsupportedKind::of_text("an item that is not an object")
            }
            (Ok(None), Some((api_version, kind))) => item.declared_kind_as(api_version, kind),
            (Ok(Some(kind)), _) if is_list(kind) && item.items().is_some() => item.invalid(
                "",
                "lists cannot be nested; move the items into the outer list".to_owned(),
            ),
            _ => item.declared_kind(),
        }
    }

    /// Returns the kind that the header declares.
    pub(super) fn declared_kind(self) -> DeclaredKind {
        if !self.is_mapping() {
            return self
                .invalid("", "must be an object, with apiVersion, kind and metadata".to_owned());
        }
        let (api_version, kind) = (self.api_version(), self.kind());
        if (matches!(api_version, Ok(None)) || matches!(kind, Ok(None)))
            && let Some(error) = self.misspelt_field()
        {
            return DeclaredKind::Invalid(error);
        }
        // A file of another program may have one of the two fields, of any type.
        if (matches!(api_version, Ok(None)) || matches!(kind, Ok(None)))
            && !self.is_meant_as_object()
        {
            return self.foreign_mapping(api_version.ok().flatten(), kind.ok().flatten());
        }
        match (api_version, kind) {
            (Err(error), _) | (_, Err(error)) => DeclaredKind::Invalid(error),
            (Ok(Some(api_version)), Ok(Some(kind))) => self.declared_kind_as(api_version, kind),
            (Ok(None), Ok(None)) => self.invalid(
                "",
                "apiVersion and kind are missing; set both, or remove the object".to_owned(),
            ),
            (Ok(Some(_)), Ok(None)) => {
                self.invalid("", "kind is missing; set the kind of the object".to_owned())
            }
            (Ok(None), Ok(Some(kind))) => self.without_api_version(kind),
        }
    }

    /// Classifies a mapping without `apiVersion` or `kind` that has no other field of an object.
    fn foreign_mapping(self, api_version: Option<&str>, kind: Option<&str>) -> DeclaredKind {
        match (api_version, kind) {
            (Some(api_version), _) if api_version.starts_with(GATEWAY_GROUP) => {
                self.invalid("", "kind is missing; set the kind of the object".to_owned())
            }
            (_, Some(kind)) if find_kind(kind).is_some() => self.without_api_version(kind),
            (Some(api_version), _) => {
                UnsupportedKind::of_text(&format!("{api_version} without a kind"))
            }
            (None, Some(kind)) => UnsupportedKind::of_text(kind),
            (None, None) => UnsupportedKind::of_text("a document without apiVersion and kind"),
        }
    }

    fn without_api_version(self, kind: &str) -> DeclaredKind {
        let known = find_kind(kind);
        let message = match known {
            Some(known) => {
                format!("apiVersion is missing; use {} for a {kind}", known.api_version())
            }
            None => format!("apiVersion is missing; set the apiVersion of {kind}"),
        };
        self.invalid_of(known, "", message)
    }

    /// Returns `true` for a mapping with fields that objects of Kubernetes have. kubectl refuses
    /// such a mapping if it has no apiVersion or no kind.
    fn is_meant_as_object(self) -> bool {
        let is_object = |node| {
            let has_field = |name: &&str| self.tree.field(node, name).is_some();
            ["metadata", "spec"].iter().any(has_field)
        };
        let items = self.tree.field(self.node, "items").map(|field| self.tree.value(field.value));
        is_object(self.node)
            || matches!(items, Some(Value::List(items)) if items.iter().copied().any(is_object))
    }

    fn declared_kind_as(self, api_version: &str, kind: &str) -> DeclaredKind {
        for (field, text) in [("apiVersion", api_version), ("kind", kind)] {
            if let Some(found) = find_suspicious_character(text) {
                return self.invalid(field, format!("contains {found}; remove it"));
            }
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let Some(supported) = find_kind(kind).filter(|supported| supported.group() == group) else {
            return self.kind_of_other_group(api_version, kind);
        };
        if supported.versions().contains(&version) {
            let (version, key) = (version.to_owned(), self.key(supported));
            DeclaredKind::Supported { kind: supported, version, key }
        } else {
            let message = format!(
                "version {version} of {kind} is not supported; use {}",
                supported.versions().join(" or ")
            );
            self.invalid_of(Some(supported), "apiVersion", message)
        }
    }

    /// Classifies a kind that this crate does not have in that group.
    fn kind_of_other_group(self, api_version: &str, kind: &str) -> DeclaredKind {
        if let Some(Misspelling { field, message }) = find_misspelling(api_version, kind) {
            return self.invalid_of(find_kind(kind), field, message);
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        DeclaredKind::Unsupported(UnsupportedKind {
            description: format!("{api_version} {kind}"),
            group_kind: Some((group.to_owned(), kind.to_owned())),
        })
    }

    /// Returns the error for a misspelt `apiVersion` or `kind`.
    fn misspelt_field(self) -> Option<HeaderError> {
        let (field, meant) = find_misspelt_field(self.tree, self.node)?;
        let message = format!("`{}` {}", field.key, describe_misspelt(&field.key, meant));
        Some(HeaderError { position: field.position, key: None, field: "", message })
    }

    /// Returns the key of the object if the header is complete and valid.
    pub(super) fn object_key(self) -> Option<ObjectKey> {
        match self.declared_kind() {
            DeclaredKind::Supported { key, .. } => key,
            DeclaredKind::Unsupported(_) | DeclaredKind::Invalid(_) => None,
        }
    }

    fn key(self, kind: ObjectKind) -> Option<ObjectKey> {
        let metadata = self.tree.field(self.node, "metadata")?.value;
        let value = |field: &str| Some(self.tree.value(self.tree.field(metadata, field)?.value));
        let name = ObjectName::new(value("name")?.as_text()?).ok()?;
        let namespace = match value("namespace") {
            None | Some(Value::Null) => default_namespace(),
            Some(namespace) => NamespaceName::new(namespace.as_text()?).ok()?,
        };
        Some(ObjectKey { kind, namespace: kind.is_namespaced().then_some(namespace), name })
    }

    fn is_mapping(self) -> bool {
        matches!(self.tree.value(self.node), Value::Mapping(_))
    }

    fn api_version(self) -> Result<Option<&'t str>, HeaderError> {
        self.text("apiVersion")
    }

    fn kind(self) -> Result<Option<&'t str>, HeaderError> {
        self.text("kind")
    }

    /// Returns the text of a field; `None` if the field is absent or null.
    fn text(self, field: &'static str) -> Result<Option<&'t str>, HeaderError> {
        let Some(value) = self.tree.field(self.node, field).map(|field| field.value) else {
            return Ok(None);
        };
        match self.tree.value(value) {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(HeaderError {
                position: self.tree.position(value),
                key: None,
                field,
                message: "must be a text; write it in quotes".to_owned(),
            }),
        }
    }

    /// Returns the apiVersion and kind of the items of a typed list.
    fn default_item_kind(self) -> Option<(&'t str, &'t str)> {
        let item_kind = self.kind().ok()??.strip_suffix("List").filter(|kind| !kind.is_empty())?;
        Some((self.api_version().ok()??, item_kind))
    }

    /// Returns an error at a field, or at the object for an empty field.
    fn invalid(self, field: &'static str, message: String) -> DeclaredKind {
        self.invalid_of(None, field, message)
    }

    /// Returns an error in the header of an object of this kind.
    fn invalid_of(
        self,
        kind: Option<ObjectKind>,
        field: &'static str,
        message: String,
    ) -> DeclaredKind {
        let value = self.tree.field(self.node, field).map_or(self.node, |field| field.value);
        let (position, key) = (self.tree.position(value), kind.and_then(|kind| self.key(kind)));
        DeclaredKind::Invalid(HeaderError { position, key, field, message })
    }
}

/// Returns the kind of this name in any group.
fn find_kind(name: &str) -> Option<ObjectKind> {
    ObjectKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
}

/// Returns `true` if a list of this kind may contain objects of this crate's kinds. Other groups
/// may have kinds whose names merely end in `List`.
fn is_list(kind: &str) -> bool {
    kind.strip_suffix("List").is_some_and(|item| item.is_empty() || find_kind(item).is_some())
}
