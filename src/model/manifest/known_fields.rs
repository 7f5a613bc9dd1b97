//! The names of the fields of each kind that the model does not have.
//!
//! The model has every field of `spec` in the kinds of Gateway API; deserializing finds unknown
//! fields there. Of metadata and of the kinds of Kubernetes, it has only the fields that routing
//! needs. The names here are those of the [API reference][spec] of Kubernetes 1.37. A status is not
//! checked: an API server ignores it.
//!
//! [spec]: https://kubernetes.io/docs/reference/kubernetes-api/

use crate::model::object_kind::ObjectKind;

/// A field that an object may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownField {
    pub(super) name: &'static str,
    pub(super) content: Known,
}

/// Content of a known field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// Any value: it is not checked, or the model checks it.
    Any,
    /// A mapping with these fields.
    Mapping(&'static [KnownField]),
    /// A list of mappings with these fields.
    List(&'static [KnownField]),
}

/// Returns the fields of an object of a kind.
pub(super) fn known_fields(kind: ObjectKind) -> &'static [KnownField] {
    match kind {
        ObjectKind::GatewayClass
        | ObjectKind::Gateway
        | ObjectKind::TcpRoute
        | ObjectKind::ReferenceGrant => GATEWAY_API_OBJECT,
        ObjectKind::Namespace => NAMESPACE,
        ObjectKind::Node => NODE,
        ObjectKind::Service => SERVICE,
        ObjectKind::EndpointSlice => ENDPOINT_SLICE,
    }
}

const fn field(name: &'static str) -> KnownField {
    KnownField { name, content: Known::Any }
}

const fn mapping(name: &'static str, fields: &'static [KnownField]) -> KnownField {
    KnownField { name, content: Known::Mapping(fields) }
}

const fn list(name: &'static str, fields: &'static [KnownField]) -> KnownField {
    KnownField { name, content: Known::List(fields) }
}

const GATEWAY_API_OBJECT: &[KnownField] = &[
    field("apiVersion"),
    field("kind"),
    mapping("metadata", OBJECT_META),
    field("spec"),
    field("status"),
];

const NAMESPACE: &[KnownField] = &[
    field("apiVersion"),
    field("kind"),
    mapping("metadata", OBJECT_META),
    mapping("spec", &[field("finalizers")]),
    field("status"),
];

const NODE: &[KnownField] = &[
    field("apiVersion"),
    field("kind"),
    mapping("metadata", OBJECT_META),
    mapping("spec", NODE_SPEC),
    field("status"),
];

const SERVICE: &[KnownField] = &[
    field("apiVersion"),
    field("kind"),
    mapping("metadata", OBJECT_META),
    mapping("spec", SERVICE_SPEC),
    field("status"),
];

const ENDPOINT_SLICE: &[KnownField] = &[
    field("apiVersion"),
    field("kind"),
    mapping("metadata", OBJECT_META),
    field("addressType"),
    list("endpoints", ENDPOINT),
    list("ports", ENDPOINT_PORT),
];

const OBJECT_META: &[KnownField] = &[
    field("annotations"),
    field("creationTimestamp"),
    field("deletionGracePeriodSeconds"),
    field("deletionTimestamp"),
    field("finalizers"),
    field("generateName"),
    field("generation"),
    field("labels"),
    list("managedFields", MANAGED_FIELDS),
    field("name"),
    field("namespace"),
    list("ownerReferences", OWNER_REFERENCE),
    field("resourceVersion"),
    field("selfLink"),
    field("uid"),
];

const MANAGED_FIELDS: &[KnownField] = &[
    field("apiVersion"),
    field("fieldsType"),
    field("fieldsV1"),
    field("manager"),
    field("operation"),
    field("subresource"),
    field("time"),
];

const OWNER_REFERENCE: &[KnownField] = &[
    field("apiVersion"),
    field("blockOwnerDeletion"),
    field("controller"),
    field("kind"),
    field("name"),
    field("uid"),
];

const NODE_SPEC: &[KnownField] = &[
    mapping("configSource", &[mapping("configMap", CONFIG_MAP_SOURCE)]),
    field("externalID"),
    field("podCIDR"),
    field("podCIDRs"),
    field("podPreemptionPolicy"),
    field("providerID"),
    list("taints", TAINT),
    field("unschedulable"),
];

const CONFIG_MAP_SOURCE: &[KnownField] = &[
    field("kubeletConfigKey"),
    field("name"),
    field("namespace"),
    field("resourceVersion"),
    field("uid"),
];

const TAINT: &[KnownField] = &[field("effect"), field("key"), field("timeAdded"), field("value")];

const SERVICE_SPEC: &[KnownField] = &[
    field("allocateLoadBalancerNodePorts"),
    field("clusterIP"),
    field("clusterIPs"),
    field("externalIPs"),
    field("externalName"),
    field("externalTrafficPolicy"),
    field("healthCheckNodePort"),
    field("internalTrafficPolicy"),
    field("ipFamilies"),
    field("ipFamilyPolicy"),
    field("loadBalancerClass"),
    field("loadBalancerIP"),
    field("loadBalancerSourceRanges"),
    list("ports", SERVICE_PORT),
    field("publishNotReadyAddresses"),
    field("selector"),
    field("sessionAffinity"),
    mapping("sessionAffinityConfig", &[mapping("clientIP", &[field("timeoutSeconds")])]),
    field("trafficDistribution"),
    field("type"),
];

const SERVICE_PORT: &[KnownField] = &[
    field("appProtocol"),
    field("name"),
    field("nodePort"),
    field("port"),
    field("protocol"),
    field("targetPort"),
];

const ENDPOINT: &[KnownField] = &[
    field("addresses"),
    mapping("conditions", &[field("ready"), field("serving"), field("terminating")]),
    field("deprecatedTopology"),
    mapping("hints", ENDPOINT_HINTS),
    field("hostname"),
    field("nodeName"),
    mapping("targetRef", OBJECT_REFERENCE),
    field("zone"),
];

const ENDPOINT_HINTS: &[KnownField] =
    &[list("forNodes", &[field("name")]), list("forZones", &[field("name")])];

const OBJECT_REFERENCE: &[KnownField] = &[
    field("apiVersion"),
    field("fieldPath"),
    field("kind"),
    field("name"),
    field("namespace"),
    field("resourceVersion"),
    field("uid"),
];

const ENDPOINT_PORT: &[KnownField] =
    &[field("appProtocol"), field("name"), field("port"), field("protocol")];
