//! Rust types for the objects of Gateway API, and for those of Kubernetes that routing needs.
//!
//! The types are the wire types: a struct has the fields of the manifest, and deserializing fills
//! in the defaults. Newtypes such as [`PortNumber`] cannot hold a value that the API refuses.
//! [`Object::validate`] checks the rules that span several fields.
//!
//! [`Resources`] is a snapshot of objects. [`translate`](crate::translate()) turns it into a plan
//! and a [`StatusReport`].
//!
//! ```text
//! GatewayClass ◄── Gateway ── listeners ◄── TCPRoute ── backendRefs ──► Service ◄── EndpointSlice
//!                                 │                          │
//!                    allowedRoutes: Namespace      other namespace: ReferenceGrant
//! ```
//!
//! ```
//! use sluicegate::model::{BackendRef, ObjectMeta, ParentRef, PortNumber, Resources, TcpRoute};
//!
//! let parent = ParentRef::gateway("public".parse()?);
//! let backend = BackendRef::service("postgres".parse()?, PortNumber::try_from(5432)?);
//! let route = TcpRoute::new(ObjectMeta::named("db".parse()?), vec![parent], vec![backend]);
//!
//! let resources: Resources = [route].into_iter().collect();
//! assert_eq!(resources.tcp_routes.len(), 1);
//! # Ok::<_, sluicegate::model::InvalidScalar>(())
//! ```
//!
//! With the feature `yaml`, the module `manifest` reads objects from YAML and JSON.
//!
//! Nothing here does I/O or reads a clock. Specification:
//! <https://gateway-api.sigs.k8s.io/reference/spec/>.

mod address;
mod condition;
mod condition_subject;
mod deserialize;
mod endpoint_slice;
mod gateway;
mod gateway_class;
mod gateway_infrastructure;
mod gateway_service;
mod gateway_tls;
mod hash;
mod kinds;
mod labels;
mod listener;
#[cfg(feature = "yaml")]
#[cfg_attr(docsrs, doc(cfg(feature = "yaml")))]
pub mod manifest;
mod merge_join;
mod meta;
mod namespace;
mod node;
mod object;
mod object_key;
mod object_kind;
mod protocol;
mod reference;
mod reference_grant;
mod resources;
mod scalar;
mod selector;
mod service;
mod service_port;
mod status;
mod status_merge;
mod store;
mod tcp_route;
mod truncate;
mod unserved;
mod validate;

pub use jiff::Timestamp;

pub use self::address::{
    GatewayAddress, GatewayAddressError, GatewayAddressType, GatewayStatusAddress,
};
pub use self::condition::{
    Attention, Caveat, Condition, ConditionStatus, ConditionType, Reason, find_condition,
    is_condition_true,
};
pub use self::condition_subject::ConditionSubject;
pub use self::endpoint_slice::{
    AddressType, EndpointAddress, EndpointConditions, EndpointPort, EndpointSlice,
    SERVICE_NAME_LABEL, SliceEndpoint,
};
pub use self::gateway::{AllowedListeners, Gateway, GatewaySpec, ListenerNamespaces};
pub use self::gateway_class::{
    GatewayClass, GatewayClassSpec, ParametersRef, SLUICEGATE_CONTROLLER,
};
pub use self::gateway_infrastructure::{GatewayInfrastructure, LocalParametersRef};
pub(crate) use self::gateway_service::POD_PORTS;
#[cfg(feature = "kube")]
pub(crate) use self::gateway_service::{GATEWAY_UID_LABEL, MANAGED_BY, MANAGED_BY_LABEL};
pub use self::gateway_service::{GatewayServiceLookup, PodPorts, ServiceRequest, ServiceRequests};
pub use self::gateway_tls::{
    BackendTls, FrontendTls, FrontendTlsConfig, FrontendTlsPort, FrontendTlsValidation, GatewayTls,
};
pub(crate) use self::hash::stable_hash;
pub use self::labels::Labels;
pub use self::listener::{
    AllowedRoutes, FromNamespaces, Listener, ListenerTls, RouteNamespaces, TlsMode,
};
pub(crate) use self::merge_join::merge_join;
pub use self::meta::{NamespacedName, ObjectMeta, default_namespace};
pub use self::namespace::{NAMESPACE_NAME_LABEL, Namespace};
pub use self::node::{Node, NodeAddress, NodeCondition, NodeStatus};
pub use self::object::Object;
pub use self::object_key::ObjectKey;
pub use self::object_kind::ObjectKind;
pub use self::protocol::Protocol;
pub use self::reference::{
    BackendRef, GATEWAY_GROUP, ObjectRef, ObjectReference, ParentRef, RouteGroupKind,
};
pub use self::reference_grant::{
    ReferenceGrant, ReferenceGrantFrom, ReferenceGrantSpec, ReferenceGrantTo,
};
pub(crate) use self::resources::ObjectDifference;
pub use self::resources::Resources;
pub use self::scalar::{
    GatewayController, Group, Hostname, InvalidScalar, KindName, NamespaceName, ObjectName,
    PortNumber, SectionName, Weight,
};
pub use self::selector::{InvalidSelector, LabelSelector, Operator, Requirement};
pub use self::service::{
    ExternalTrafficPolicy, IpFamily, LoadBalancerIngress, LoadBalancerStatus, Service, ServiceSpec,
    ServiceStatus, ServiceType, SessionAffinity,
};
pub use self::service_port::{ServicePort, TargetPort, TransportProtocol};
pub use self::status::{
    GatewayClassStatus, GatewayStatus, ListenerStatus, RouteParentStatus, RouteStatus,
    StatusReport, SupportedFeature,
};
#[cfg(any(feature = "api", feature = "kube"))]
pub(crate) use self::status_merge::{MergedStatus, ObjectStatus, merge_status};
pub use self::store::Store;
pub use self::tcp_route::{TcpRoute, TcpRouteRule, TcpRouteSpec};
pub(crate) use self::truncate::{MAX_MESSAGE_LEN, truncate};
pub use self::unserved::{UnservedKey, UnservedObject};
pub use self::validate::{Violation, ViolationReason};
