//! An object as the API server sends it.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::compact::CompactObject;
use super::object_json;
use super::observed::{
    CLAIM_ANNOTATION, CONTENDER_ANNOTATION, ClassClaims, Content, InvalidObject, Observed,
    ServerState, has_status,
};
use crate::model::{
    EndpointSlice, GatewayStatus, Labels, MANAGED_BY, MANAGED_BY_LABEL, NamespaceName,
    NamespacedName, Object, ObjectKey, ObjectKind, SERVICE_NAME_LABEL, Service,
};

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
        let mut object = object_json::read(deserializer)?;
        // The images of a Node are often longer than the rest of it, and a page of a list contains
        // hundreds of Nodes.
        if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
            status.remove("images");
        }
        let metadata = object
            .get("metadata")
            .and_then(Value::as_object)
            .ok_or_else(|| D::Error::custom("an object has no metadata"))?;
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

    /// Parses the object. Returns `None` if it has no valid key. `service_namespace` is the
    /// namespace of the Services of Gateways.
    pub(super) fn parse(
        self,
        kind: ObjectKind,
        service_namespace: Option<&NamespaceName>,
    ) -> Option<Observed> {
        let key = self.key(kind)?;
        // Anyone can set the label of managed Services on a Service of another namespace.
        let may_be_managed = kind == ObjectKind::Service
            && service_namespace.is_some()
            && key.namespace.as_ref() == service_namespace
            && self.object["metadata"]["labels"][MANAGED_BY_LABEL] == MANAGED_BY;
        let state = self.server_state(kind, may_be_managed);
        let content = match kind {
            ObjectKind::Service if !may_be_managed => Content::Backend {
                service: key.namespaced_name(),
                object: deserialize_fast::<Service>(&self.object)
                    .map(|service| CompactObject::of_service(&service)),
                uid: state.uid,
            },
            ObjectKind::EndpointSlice => Content::Backend {
                service: self.service_of_slice(&key),
                object: deserialize_fast::<EndpointSlice>(&self.object)
                    .map(|slice| CompactObject::of_slice(&slice)),
                uid: state.uid,
            },
            _ => Content::Whole {
                object: deserialize(&self.object, |object| kind.deserialize(object))
                    .map(without_unused_metadata)
                    .map(without_status),
                state,
            },
        };
        Some(Observed { key, content })
    }

    /// Returns the Service of an EndpointSlice with this key, if its label contains a valid name.
    fn service_of_slice(&self, key: &ObjectKey) -> Option<NamespacedName> {
        let name = self.object["metadata"]["labels"][SERVICE_NAME_LABEL].as_str()?;
        Some(NamespacedName { namespace: key.namespace.clone()?, name: name.parse().ok()? })
    }

    fn server_state(&self, kind: ObjectKind, may_be_managed: bool) -> ServerState {
        let metadata = &self.object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().into();
        let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
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
            claims: (kind == ObjectKind::GatewayClass).then(|| class_claims(metadata)).flatten(),
        }
    }
}

/// Returns the claims of releases on a GatewayClass with this metadata, if there are any.
fn class_claims(metadata: &Value) -> Option<Box<ClassClaims>> {
    let text = |annotation| metadata["annotations"][annotation].as_str().map(str::to_owned);
    let claims =
        ClassClaims { holder: text(CLAIM_ANNOTATION), contender: text(CONTENDER_ANNOTATION) };
    (claims != ClassClaims::default()).then(|| Box::new(claims))
}

/// Deserializes an object of a kind with many changes. An error contains the path of the invalid
/// field. Recording the path takes longer than reading, so an object without errors is read
/// without it.
fn deserialize_fast<'a, T: Deserialize<'a>>(object: &'a Value) -> Result<T, InvalidObject> {
    T::deserialize(object).or_else(|_| deserialize(object, |object| T::deserialize(object)))
}

/// Deserializes an object. An error contains the path of the invalid field.
fn deserialize<'a, T>(
    object: &'a Value,
    read: impl FnOnce(serde_path_to_error::Deserializer<'_, '_, &'a Value>) -> serde_json::Result<T>,
) -> Result<T, InvalidObject> {
    let mut track = serde_path_to_error::Track::new();
    read(serde_path_to_error::Deserializer::new(object, &mut track))
        .map_err(|source| InvalidObject { path: track.path().to_string(), source })
}

/// Removes the metadata that is not used: annotations, and the labels that no selector matches. It
/// is often longer than the rest of the object, and a change of it, such as the renewal of a claim,
/// must not count as a change of the object.
fn without_unused_metadata(mut object: Object) -> Object {
    let kind = object.kind();
    let metadata = object.metadata_mut();
    metadata.annotations = Labels::new();
    match kind {
        ObjectKind::GatewayClass
        | ObjectKind::Gateway
        | ObjectKind::TcpRoute
        | ObjectKind::ReferenceGrant => metadata.labels = Labels::new(),
        ObjectKind::Namespace
        | ObjectKind::Node
        | ObjectKind::Service
        | ObjectKind::EndpointSlice => {}
    }
    object
}

/// Removes the status, so that writing it does not count as a change of the object. The addresses
/// of a Gateway stay, because a pool assigns the same addresses again. So does what is used of a
/// Node, which the kubelet writes every few minutes.
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
        Object::Node(node) => Arc::make_mut(node).remove_unused(),
        Object::ReferenceGrant(_)
        | Object::Namespace(_)
        | Object::Service(_)
        | Object::EndpointSlice(_) => {}
    }
    object
}
