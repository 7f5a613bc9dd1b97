//! An object as the API server sends it.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::compact::CompactObject;
use super::object_json;
use super::observed::{
    CLAIM_ANNOTATION, CONTENDER_ANNOTATION, ClassClaims, Content, Observed, ServerState, has_status,
};
use crate::model::{
    EndpointSlice, MANAGED_BY, MANAGED_BY_LABEL, NamespaceName, NamespacedName, ObjectKey,
    ObjectKind, SERVICE_NAME_LABEL, Service,
};
use crate::sources::invalid_object::deserialize;
use crate::sources::unused_fields::without_unused_fields;

/// An object of any kind, of which only the metadata is parsed. An object with an invalid spec must
/// not fail the list or the watch that contains it.
#[derive(Debug, Clone)]
pub(super) struct RawObject {
    /// Name, namespace and resource version: the fields that a watch uses.
    metadata: ObjectMeta,
    text: Box<RawValue>,
}

/// The fields of an object that are parsed at once. A field that is no text counts as absent.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    metadata: HeaderMetadata<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderMetadata<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_version: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Box<RawValue>>::deserialize(deserializer)?;
        let header: Header<'_> = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let value = |field: Option<&RawValue>| serde_json::from_str(field?.get()).ok();
        let metadata = ObjectMeta {
            name: value(header.metadata.name),
            namespace: value(header.metadata.namespace),
            resource_version: value(header.metadata.resource_version),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, text })
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
        let content = match self.backend(&key, service_namespace) {
            Some(backend) => backend,
            None => self.content(&key, service_namespace)?,
        };
        Some(Observed { key, content })
    }

    /// Parses a valid Service or EndpointSlice that this source does not manage. Most changes in a
    /// cluster are of these kinds, so they are parsed without a tree of JSON values.
    fn backend(
        &self,
        key: &ObjectKey,
        service_namespace: Option<&NamespaceName>,
    ) -> Option<Content> {
        let uid = |uid: Option<Arc<str>>| uid.as_deref().unwrap_or_default().into();
        match key.kind {
            ObjectKind::Service => {
                let object: Service = serde_json::from_str(self.text.get()).ok()?;
                let manager = object.metadata.labels.get(MANAGED_BY_LABEL);
                if may_be_managed(key, manager.map(String::as_str), service_namespace) {
                    return None;
                }
                Some(Content::Backend {
                    service: key.namespaced_name(),
                    object: Ok(CompactObject::of_service(&object)),
                    uid: uid(object.metadata.uid),
                })
            }
            ObjectKind::EndpointSlice => {
                let object: EndpointSlice = serde_json::from_str(self.text.get()).ok()?;
                Some(Content::Backend {
                    service: service_of_slice(key, object.service_name()),
                    object: Ok(CompactObject::of_slice(&object)),
                    uid: uid(object.metadata.uid),
                })
            }
            ObjectKind::GatewayClass
            | ObjectKind::Gateway
            | ObjectKind::TcpRoute
            | ObjectKind::ReferenceGrant
            | ObjectKind::Namespace
            | ObjectKind::Node => None,
        }
    }

    /// Parses an object of any kind. An error contains the path of the invalid field.
    fn content(
        &self,
        key: &ObjectKey,
        service_namespace: Option<&NamespaceName>,
    ) -> Option<Content> {
        let object = object_json::read(&mut serde_json::Deserializer::from_str(self.text.get()));
        let mut object = object.ok()?;
        // The images of a Node are often longer than the rest of it.
        if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
            status.remove("images");
        }
        let labels = &object["metadata"]["labels"];
        let is_managed = may_be_managed(key, labels[MANAGED_BY_LABEL].as_str(), service_namespace);
        let state = server_state(&object, key.kind, is_managed);
        Some(match key.kind {
            ObjectKind::Service if !is_managed => Content::Backend {
                service: key.namespaced_name(),
                object: deserialize(&object, |object| Service::deserialize(object))
                    .map(|service| CompactObject::of_service(&service)),
                uid: state.uid,
            },
            ObjectKind::EndpointSlice => Content::Backend {
                service: service_of_slice(key, labels[SERVICE_NAME_LABEL].as_str()),
                object: deserialize(&object, |object| EndpointSlice::deserialize(object))
                    .map(|slice| CompactObject::of_slice(&slice)),
                uid: state.uid,
            },
            kind => Content::Whole {
                object: deserialize(&object, |object| kind.deserialize(object))
                    .map(without_unused_fields),
                state,
            },
        })
    }
}

/// Returns `true` for a Service that may be one of a Gateway. `manager` is its label. Anyone can
/// set the label on a Service of another namespace.
fn may_be_managed(
    key: &ObjectKey,
    manager: Option<&str>,
    service_namespace: Option<&NamespaceName>,
) -> bool {
    key.kind == ObjectKind::Service
        && service_namespace.is_some()
        && key.namespace.as_ref() == service_namespace
        && manager == Some(MANAGED_BY)
}

/// Returns the Service of an EndpointSlice, if its label contains a valid name.
fn service_of_slice(key: &ObjectKey, label: Option<&str>) -> Option<NamespacedName> {
    Some(NamespacedName { namespace: key.namespace.clone()?, name: label?.parse().ok()? })
}

fn server_state(object: &Value, kind: ObjectKind, is_managed: bool) -> ServerState {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().into();
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
    ServerState {
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        status: match object.get("status").filter(|_| has_status(kind)) {
            Some(status) => status.to_string().into(),
            None => "{}".into(),
        },
        finalizers: finalizers.filter_map(Value::as_str).map(str::to_owned).collect(),
        is_being_deleted: metadata.get("deletionTimestamp").is_some(),
        raw: is_managed.then(|| object.to_string().into()),
        claims: (kind == ObjectKind::GatewayClass).then(|| class_claims(metadata)).flatten(),
    }
}

/// Returns the claims of releases on a GatewayClass with this metadata, if there are any.
fn class_claims(metadata: &Value) -> Option<Box<ClassClaims>> {
    let text = |annotation| metadata["annotations"][annotation].as_str().map(str::to_owned);
    let claims =
        ClassClaims { holder: text(CLAIM_ANNOTATION), contender: text(CONTENDER_ANNOTATION) };
    (claims != ClassClaims::default()).then(|| Box::new(claims))
}
