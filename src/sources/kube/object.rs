//! An object as the API server sends it, and what is kept of it.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::{GatewayStatus, Object, ObjectKey, ObjectKind};

/// An object of any kind, unread: whatever is wrong with its spec, it never stalls a watch.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// Name, namespace and resource version: what a watch needs to go on.
    metadata: ObjectMeta,
    object: Value,
}

/// An object as it was last seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) key: ObjectKey,
    /// The object, without the status that is only to be written; or why it cannot be read.
    pub(super) object: Result<Object, String>,
    pub(super) live: Live,
}

/// What writing needs to know of an object, beside its spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) uid: Box<str>,
    pub(super) resource_version: Box<str>,
    /// The whole status as JSON, unread: what is not ours must stay as it is, to the letter. As
    /// text, since there are thousands of them and hardly one is looked at twice.
    pub(super) status: Box<str>,
    pub(super) finalizers: Vec<String>,
    pub(super) is_being_deleted: bool,
    /// The whole object as JSON, where a Gateway owns it: it may be one that we keep.
    pub(super) whole: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(deserializer)?;
        let metadata = object
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .ok_or_else(|| D::Error::custom("an object without metadata"))?;
        // Long, and nobody reads it.
        metadata.remove("managedFields");
        let text = |field: &str| Some(metadata.get(field)?.as_str()?.to_owned());
        let metadata = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, object })
    }
}

impl Resource for Received {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Received {
    /// What identifies the object; `None` where its name is none that the API allows.
    pub(super) fn key(&self, kind: ObjectKind) -> Option<ObjectKey> {
        let namespace = match &self.metadata.namespace {
            Some(namespace) => Some(namespace.parse().ok()?),
            None => None,
        };
        Some(ObjectKey { kind, namespace, name: self.metadata.name.as_deref()?.parse().ok()? })
    }

    /// Reads the object.
    pub(super) fn read(self, kind: ObjectKind) -> Option<Seen> {
        let key = self.key(kind)?;
        let live = self.live(kind);
        let mut track = serde_path_to_error::Track::new();
        let read =
            kind.deserialize(serde_path_to_error::Deserializer::new(self.object, &mut track));
        let object = read.map_err(|error| format!("{}: {error}", track.path()));
        Some(Seen { key, object: object.map(without_status), live })
    }

    fn live(&self, kind: ObjectKind) -> Live {
        let metadata = &self.object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().into();
        let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
        Live {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            status: match self.object.get("status").filter(|_| has_status(kind)) {
                Some(status) => status.to_string().into(),
                None => "{}".into(),
            },
            finalizers: finalizers.filter_map(Value::as_str).map(str::to_owned).collect(),
            is_being_deleted: metadata.get("deletionTimestamp").is_some(),
            whole: (!has_status(kind) && is_owned(metadata))
                .then(|| self.object.to_string().into()),
        }
    }
}

/// Whether it is a kind whose status is written.
pub(super) fn has_status(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::GatewayClass | ObjectKind::Gateway | ObjectKind::TcpRoute)
}

fn is_owned(metadata: &Value) -> bool {
    let mut owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    owners.any(|owner| owner["kind"] == "Gateway")
}

/// Takes out the status, so that writing it is not taken for a change of the object. The addresses
/// of a Gateway stay: a pool that is asked again gives the same.
fn without_status(mut object: Object) -> Object {
    use std::sync::Arc;
    match &mut object {
        Object::GatewayClass(class) => Arc::make_mut(class).status = None,
        Object::TcpRoute(route) => Arc::make_mut(route).status = None,
        Object::Gateway(gateway) => {
            let gateway = Arc::make_mut(gateway);
            let addresses = gateway.status.take().map(|status| status.addresses);
            gateway.status = addresses
                .filter(|addresses| !addresses.is_empty())
                .map(|addresses| GatewayStatus { addresses, ..GatewayStatus::default() });
        }
        Object::ReferenceGrant(_)
        | Object::Namespace(_)
        | Object::Node(_)
        | Object::Service(_)
        | Object::EndpointSlice(_) => {}
    }
    object
}
