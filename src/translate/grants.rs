//! Permission of references into other namespaces.
//!
//! A ReferenceGrant in the target's namespace must name the referrer's kind and namespace in one
//! of its `from`, and the target in one of its `to`
//! ([ReferenceGrant](https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant)).

use super::index::Index;
use crate::model::{BackendRef, GATEWAY_GROUP, NamespaceName};

/// Returns `true` if a TCPRoute of namespace `from` may refer to `backend` in namespace `to`.
pub(super) fn allows(
    index: &Index<'_>,
    from: &NamespaceName,
    backend: &BackendRef,
    to: &NamespaceName,
) -> bool {
    from == to
        || index.grants(to).iter().any(|grant| {
            let from_route = grant.spec.from.iter().any(|entry| {
                entry.group == GATEWAY_GROUP && entry.kind == "TCPRoute" && entry.namespace == *from
            });
            let to_backend = grant.spec.to.iter().any(|entry| {
                entry.group == backend.group
                    && entry.kind == backend.kind
                    && entry.name.as_ref().is_none_or(|name| *name == backend.name)
            });
            from_route && to_backend
        })
}
