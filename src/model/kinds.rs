//! The table of kinds. A new kind needs an entry here; the compiler reports the other places.

use super::meta::ObjectMeta;
use super::scalar::ObjectName;

/// Calls a macro with the table of kinds.
///
/// `text`, `group` and `versions` are those of a manifest, the canonical version first. `store` is
/// the field of `Resources` that holds the objects of the kind, `key` their key there, and `of` the
/// function that returns the key of an object.
macro_rules! for_each_kind {
    ($macro:ident) => {
        $macro! {
            GatewayClass {
                text: "GatewayClass", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
                store: gateway_classes, key: ObjectName, of: cluster_scoped_name, namespaced: false,
            }
            Gateway {
                text: "Gateway", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
                store: gateways, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
            }
            TcpRoute {
                text: "TCPRoute", group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha2"],
                store: tcp_routes, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
            }
            ReferenceGrant {
                text: "ReferenceGrant", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
                store: reference_grants, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
            }
            Namespace {
                text: "Namespace", group: "", versions: ["v1"],
                store: namespaces, key: ObjectName, of: cluster_scoped_name, namespaced: false,
            }
            Node {
                text: "Node", group: "", versions: ["v1"],
                store: nodes, key: ObjectName, of: cluster_scoped_name, namespaced: false,
            }
            Service {
                text: "Service", group: "", versions: ["v1"],
                store: services, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
            }
            EndpointSlice {
                text: "EndpointSlice", group: "discovery.k8s.io", versions: ["v1"],
                store: endpoint_slices, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
            }
        }
    };
}

pub(super) use for_each_kind;

pub(super) fn cluster_scoped_name(metadata: &ObjectMeta) -> ObjectName {
    metadata.name.clone()
}
