//! Headers: the fields of a document that identify its object.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::suggest_kind::unknown_kind_error;
use crate::model::meta::default_namespace;
use crate::model::object_key::ObjectKey;
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;
use crate::model::scalar::{NamespaceName, ObjectName};

/// The fields of a document that identify its object, or the objects of a list.
///
/// The header is parsed before the typed object, so that a document of another kind is skipped and
/// an error in the object can name it. A field of the wrong type counts as absent here: the typed
/// object reports it, with its line.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object, with apiVersion, kind and metadata")]
pub(super) struct Header {
    #[serde(default)]
    api_version: Lenient<String>,
    #[serde(default)]
    kind: Lenient<String>,
    #[serde(default)]
    metadata: Lenient<HeaderMetadata>,
    #[serde(default)]
    items: Lenient<Vec<Lenient<Self>>>,
}

#[derive(Debug, Deserialize)]
struct HeaderMetadata {
    #[serde(default)]
    name: Lenient<String>,
    #[serde(default)]
    namespace: Lenient<String>,
}

/// A value that is ignored if its type is wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Value(T),
    Other(IgnoredAny),
    #[default]
    Absent,
}

impl<T> Lenient<T> {
    fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Other(_) | Self::Absent => None,
        }
    }
}

/// Kind of the object that a header declares.
#[derive(Debug)]
pub(super) enum DeclaredKind {
    /// A kind of this crate in a version that it reads; the key is absent if the header has no
    /// valid name.
    Supported { kind: ObjectKind, version: String, key: Option<ObjectKey> },
    /// A kind that routing does not use; the text describes it.
    Unsupported(String),
    /// A kind of this crate in a form that it cannot read; the text is the error message.
    Invalid(String),
}

impl Header {
    /// Parses the header of a document.
    pub(super) fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    /// Returns the declared kind of each item if the document is a list.
    ///
    /// The items of a typed list, such as a `GatewayList`, need not repeat their kind.
    pub(super) fn item_kinds(&self) -> Option<Vec<DeclaredKind>> {
        let items = self.items.get()?;
        let item_kind = self.kind.get()?.strip_suffix("List")?;
        let api_version = self.api_version.get().filter(|_| !item_kind.is_empty());
        let default_kind = api_version.map(|api_version| (api_version.as_str(), item_kind));
        let no_header = Self::default();
        let kind_of =
            |item: &Lenient<Self>| item.get().unwrap_or(&no_header).item_kind(default_kind);
        Some(items.iter().map(kind_of).collect())
    }

    fn item_kind(&self, default_kind: Option<(&str, &str)>) -> DeclaredKind {
        match (self.kind.get(), default_kind) {
            (None, Some((api_version, kind))) => self.declared_kind_as(api_version, kind),
            (Some(kind), _) if is_list(kind) && self.items.get().is_some() => {
                DeclaredKind::Invalid(
                    "lists cannot be nested; move the items into the outer list".to_owned(),
                )
            }
            _ => self.declared_kind(),
        }
    }

    /// Returns the kind that the header declares.
    pub(super) fn declared_kind(&self) -> DeclaredKind {
        match (self.api_version.get(), self.kind.get()) {
            (None, None) => {
                DeclaredKind::Unsupported("a document without apiVersion and kind".to_owned())
            }
            (Some(api_version), None) if api_version.starts_with(GATEWAY_GROUP) => {
                DeclaredKind::Invalid("kind is missing; set the kind of the object".to_owned())
            }
            (Some(api_version), None) => {
                DeclaredKind::Unsupported(format!("{api_version} without a kind"))
            }
            (None, Some(kind)) => match find_kind(kind) {
                Some(supported) => DeclaredKind::Invalid(format!(
                    "apiVersion is missing; use {} for a {kind}",
                    supported.api_version()
                )),
                None => DeclaredKind::Unsupported(kind.clone()),
            },
            (Some(api_version), Some(kind)) => self.declared_kind_as(api_version, kind),
        }
    }

    fn declared_kind_as(&self, api_version: &str, kind: &str) -> DeclaredKind {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let Some(supported) = find_kind(kind).filter(|supported| supported.group() == group) else {
            return kind_of_other_group(api_version, kind);
        };
        if supported.versions().contains(&version) {
            let (version, key) = (version.to_owned(), self.key(supported));
            DeclaredKind::Supported { kind: supported, version, key }
        } else {
            DeclaredKind::Invalid(format!(
                "version {version} of {kind} is not supported; use {}",
                supported.versions().join(" or ")
            ))
        }
    }

    fn key(&self, kind: ObjectKind) -> Option<ObjectKey> {
        let metadata = self.metadata.get()?;
        let name = ObjectName::new(metadata.name.get()?.as_str()).ok()?;
        let namespace = match metadata.namespace.get() {
            Some(namespace) => NamespaceName::new(namespace.as_str()).ok()?,
            None => default_namespace(),
        };
        Some(ObjectKey { kind, namespace: kind.is_namespaced().then_some(namespace), name })
    }
}

/// Returns the kind of this name, whatever its group.
fn find_kind(name: &str) -> Option<ObjectKind> {
    ObjectKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
}

/// Returns `true` if a list of this kind may contain objects of this crate's kinds. Other groups
/// may have kinds whose names merely end in `List`.
fn is_list(kind: &str) -> bool {
    kind.strip_suffix("List").is_some_and(|item| item.is_empty() || find_kind(item).is_some())
}

/// Classifies a kind that is not among those of this crate in its group.
fn kind_of_other_group(api_version: &str, kind: &str) -> DeclaredKind {
    let error = match (api_version.split_once('/'), find_kind(kind)) {
        (Some((GATEWAY_GROUP, _)), _) => unknown_kind_error(kind),
        // Another group may have a Gateway or a Service, but the core group's kinds are known.
        (None, Some(supported)) => Some(format!(
            "apiVersion {api_version} has no kind {kind}; use {}",
            supported.api_version()
        )),
        _ => None,
    };
    error.map_or_else(
        || DeclaredKind::Unsupported(format!("{api_version} {kind}")),
        DeclaredKind::Invalid,
    )
}
