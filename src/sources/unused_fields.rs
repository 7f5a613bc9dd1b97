//! Removal of the fields that translation does not use.

use std::sync::Arc;

use crate::model::{GatewayStatus, Labels, Object, ObjectKind};

/// Removes the fields of an object of an API server that translation does not use, so that a change
/// of them does not count as a change of the object.
pub(super) fn without_unused_fields(object: Object) -> Object {
    without_status(without_unused_metadata(object))
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
