//! Manifests: the YAML and JSON in which people write objects.
//!
//! [`read`] takes a text of any number of documents and reads each by itself, so that a bad one does
//! not take the others along. A document is read in two steps, its kind first and then the typed
//! object, so that every error keeps its line and its field. Lists (`kind: List`, `GatewayList`, …)
//! are taken apart.
//!
//! JSON is read as the subset of YAML that it is; only escaped surrogate pairs (`"\ud83d\ude00"`)
//! are refused, write such characters plainly.
//!
//! This folder is the only place that knows the YAML library.

mod document;
mod fault;
mod kind;
mod list;
mod locate;
mod split;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::object::{Object, ObjectKey, ObjectKind};
use super::reference::GATEWAY_GROUP;
use super::scalar::{NamespaceName, ObjectName};

pub use self::fault::Fault;
pub use self::split::{Document, split};

/// One object of a manifest, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The line on which the object's document begins, counted from 1.
    pub line: usize,
    /// Which object it is, as far as that can be told.
    pub key: Option<ObjectKey>,
    /// The object, or why there is none.
    pub content: Content,
}

/// What an [`Entry`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A valid object.
    Object(Object),
    /// An object of a kind that routing does not read, such as `apps/v1 Deployment`.
    Foreign(String),
    /// An object of ours that is wrong, or a document that cannot be read at all.
    Faulty(Vec<Fault>),
}

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
/// let Content::Faulty(faults) = &entries[1].content else { panic!() };
/// assert_eq!(faults[0].line, 12);
/// assert_eq!(faults[0].field, "spec.listeners[0].port");
/// assert_eq!(faults[0].message, "invalid value: integer `70000`, expected a port from 1 to 65535");
/// ```
pub fn read(text: &str) -> Vec<Entry> {
    split(text).flat_map(|document| document.read()).collect()
}

/// What a document says it is: all that is read of it at first. Anything but a text counts as
/// absent here; the typed reading complains about it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object, with apiVersion, kind and metadata")]
struct Head {
    #[serde(default)]
    api_version: Loose<String>,
    #[serde(default)]
    kind: Loose<String>,
    #[serde(default)]
    metadata: Loose<HeadMetadata>,
    #[serde(default)]
    items: Loose<Vec<Loose<Self>>>,
}

#[derive(Debug, Deserialize)]
struct HeadMetadata {
    #[serde(default)]
    name: Loose<String>,
    #[serde(default)]
    namespace: Loose<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Loose<T> {
    Read(T),
    Other(IgnoredAny),
    #[default]
    Absent,
}

impl<T> Loose<T> {
    fn get(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Other(_) | Self::Absent => None,
        }
    }
}

/// What a head turns out to announce.
enum Announced {
    /// An object of ours, in a version we read.
    Ours(ObjectKind, String),
    /// Something that is none of our business.
    Foreign(String),
    /// Something of ours in a form that cannot be read, and why.
    Unreadable(String),
}

impl Head {
    fn announced(&self) -> Announced {
        match (self.api_version.get(), self.kind.get()) {
            (None, None) => Announced::Foreign("a document without apiVersion and kind".to_owned()),
            (Some(api_version), None) if api_version.starts_with(GATEWAY_GROUP) => {
                Announced::Unreadable(
                    "kind is missing; say which kind of object this is".to_owned(),
                )
            }
            (Some(api_version), None) => {
                Announced::Foreign(format!("{api_version} without a kind"))
            }
            (None, Some(kind)) => match ObjectKind::ALL.iter().find(|ours| ours.as_str() == kind) {
                Some(ours) => Announced::Unreadable(format!(
                    "apiVersion is missing; a {kind} is read as {}",
                    ours.api_version()
                )),
                None => Announced::Foreign(kind.clone()),
            },
            (Some(api_version), Some(kind)) => announced(api_version, kind),
        }
    }

    fn key(&self, kind: ObjectKind) -> Option<ObjectKey> {
        let metadata = self.metadata.get()?;
        let name = ObjectName::new(metadata.name.get()?.as_str()).ok()?;
        let namespace = match metadata.namespace.get() {
            Some(namespace) => NamespaceName::new(namespace.as_str()).ok()?,
            None => super::meta::default_namespace(),
        };
        Some(ObjectKey { kind, namespace: kind.is_namespaced().then_some(namespace), name })
    }
}

fn announced(api_version: &str, kind: &str) -> Announced {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let Some(ours) =
        ObjectKind::ALL.iter().find(|ours| ours.group() == group && ours.as_str() == kind)
    else {
        return announced_elsewhere(api_version, kind);
    };
    if ours.versions().contains(&version) {
        Announced::Ours(*ours, version.to_owned())
    } else {
        Announced::Unreadable(format!(
            "{kind} is not read in version {version}; use {}",
            ours.versions().join(" or ")
        ))
    }
}

/// A kind that its group does not have among those of ours.
fn announced_elsewhere(api_version: &str, kind: &str) -> Announced {
    let ours = ObjectKind::ALL.iter().find(|ours| ours.as_str() == kind);
    let complaint = match (api_version.split_once('/'), ours) {
        (Some((GATEWAY_GROUP, _)), _) => kind::misspelt(kind),
        // Other groups may have a Gateway or a Service of their own, but the core group's are known.
        (None, Some(ours)) => Some(format!(
            "there is no {kind} in apiVersion {api_version}; it is read as {}",
            ours.api_version()
        )),
        _ => None,
    };
    complaint
        .map_or_else(|| Announced::Foreign(format!("{api_version} {kind}")), Announced::Unreadable)
}

#[cfg(test)]
mod tests;
