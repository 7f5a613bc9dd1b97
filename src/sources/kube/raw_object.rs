//! An object as the API server sends it.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::observed::{InvalidObject, Observed, ServerState, has_status};
use crate::model::{GatewayStatus, MANAGED_BY, MANAGED_BY_LABEL, Object, ObjectKey, ObjectKind};

/// An object of any kind, of which only the metadata is parsed. An object with an invalid spec must
/// not fail the list or the watch that contains it.
#[derive(Debug, Clone)]
pub(super) struct RawObject {
    /// Name, namespace and resource version: the fields that a watch uses.
    metadata: ObjectMeta,
    object: Value,
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(deserializer)?;
        let metadata = object
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .ok_or_else(|| D::Error::custom("an object has no metadata"))?;
        // It is often longer than the rest of the object, and is not used.
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

impl Resource for RawObject {
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

impl RawObject {
    /// Returns the key of the object, or `None` if Kubernetes does not allow its name.
    pub(super) fn key(&self, kind: ObjectKind) -> Option<ObjectKey> {
        let namespace = match &self.metadata.namespace {
            Some(namespace) => Some(namespace.parse().ok()?),
            None => None,
        };
        Some(ObjectKey { kind, namespace, name: self.metadata.name.as_deref()?.parse().ok()? })
    }

    /// Parses the object. Returns `None` if it has no valid key.
    pub(super) fn parse(self, kind: ObjectKind) -> Option<Observed> {
        let key = self.key(kind)?;
        let state = self.server_state(kind);
        let mut track = serde_path_to_error::Track::new();
        let object = kind
            .deserialize(serde_path_to_error::Deserializer::new(self.object, &mut track))
            .map(without_status)
            .map_err(|source| InvalidObject { path: track.path().to_string(), source });
        Some(Observed { key, object, state })
    }

    fn server_state(&self, kind: ObjectKind) -> ServerState {
        let metadata = &self.object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().into();
        let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
        let may_be_managed =
            kind == ObjectKind::Service && metadata["labels"][MANAGED_BY_LABEL] == MANAGED_BY;
        ServerState {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            status: match self.object.get("status").filter(|_| has_status(kind)) {
                Some(status) => status.to_string().into(),
                None => "{}".into(),
            },
            finalizers: finalizers.filter_map(Value::as_str).map(str::to_owned).collect(),
            is_being_deleted: metadata.get("deletionTimestamp").is_some(),
            raw: may_be_managed.then(|| self.object.to_string().into()),
        }
    }
}

/// Removes the status, so that writing it does not count as a change of the object. The addresses
/// of a Gateway stay, because a pool assigns the same addresses again.
fn without_status(mut object: Object) -> Object {
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
