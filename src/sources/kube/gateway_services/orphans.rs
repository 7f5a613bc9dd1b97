//! Orphans: Services that no Gateway needs any more.

use serde_json::{Value, json};

use super::service_metadata::{CONTROLLER_ANNOTATION, GATEWAY_ANNOTATION};
use super::template::ServiceTemplate;
use crate::model::{
    GATEWAY_UID_LABEL, GatewayController, Labels, MANAGED_BY, MANAGED_BY_LABEL, NamespaceName,
    NamespacedName, Resources,
};

/// Policy of a source for the Services of Gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::kube) enum ServicePolicy {
    /// Creates, updates and deletes them.
    Manage(ServiceTemplate),
    /// Deletes those that this release created when its Gateways had other addresses.
    Delete {
        /// Namespace of the Services.
        namespace: NamespaceName,
        /// Selector of the Services.
        selector: Labels,
    },
}

impl ServicePolicy {
    /// Returns the namespace of the Services.
    pub(in crate::sources::kube) fn namespace(&self) -> &NamespaceName {
        match self {
            Self::Manage(template) => &template.namespace,
            Self::Delete { namespace, .. } => namespace,
        }
    }

    /// Returns `true` if this release created a live Service. Other releases may have Services in
    /// the same namespace.
    pub(in crate::sources::kube) fn created(
        &self,
        live: &Value,
        controller: &GatewayController,
    ) -> bool {
        let metadata = &live["metadata"];
        metadata["labels"][MANAGED_BY_LABEL] == MANAGED_BY
            && metadata["annotations"][CONTROLLER_ANNOTATION] == controller.as_str()
            && live["spec"]["selector"] == json!(self.selector())
    }

    fn selector(&self) -> &Labels {
        match self {
            Self::Manage(template) => &template.selector,
            Self::Delete { selector, .. } => selector,
        }
    }
}

/// A Service to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::kube) enum Orphan {
    /// This release needs no Services, so the Service is deleted in any case.
    Unconditional,
    /// The Gateway seems to need no Service any longer. The cache may be outdated, so the Gateway
    /// is read before the Service is deleted.
    OfGateway(ServiceOwner),
}

/// The Gateway that a Service belongs to, as the Service records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::kube) struct ServiceOwner {
    pub(in crate::sources::kube) gateway: NamespacedName,
    pub(in crate::sources::kube) uid: Option<String>,
}

impl ServiceOwner {
    fn parse(live: &Value) -> Option<Self> {
        let metadata = &live["metadata"];
        Some(Self {
            gateway: metadata["annotations"][GATEWAY_ANNOTATION].as_str()?.parse().ok()?,
            uid: metadata["labels"][GATEWAY_UID_LABEL].as_str().map(str::to_owned),
        })
    }
}

/// Returns the orphan if a Service that is not desired must be deleted: this release created it,
/// and its Gateway was deleted, or has a class of another controller, or no Gateway needs a Service
/// any more.
///
/// A Gateway keeps its Service, and so its address, if it is not accepted, or if its class is not
/// accepted or does not exist: the class may be created again. `is_known` returns `true` if the
/// Gateways of a namespace are known: the permission to read them may be missing.
pub(in crate::sources::kube) fn find_orphan(
    live: &Value,
    policy: &ServicePolicy,
    controller: &GatewayController,
    resources: &Resources,
    is_known: impl FnOnce(&NamespaceName) -> bool,
) -> Option<Orphan> {
    if !policy.created(live, controller) {
        return None;
    }
    let owner = ServiceOwner::parse(live)?;
    if matches!(policy, ServicePolicy::Delete { .. }) {
        return Some(Orphan::Unconditional);
    }
    let is_orphaned = match resources.gateways.get(&owner.gateway) {
        None => is_known(&owner.gateway.namespace),
        Some(gateway) => {
            let class = resources.gateway_classes.get(&gateway.spec.gateway_class_name);
            (owner.uid.is_some() && owner.uid.as_deref() != gateway.metadata.uid.as_deref())
                || class.is_some_and(|class| class.spec.controller_name != *controller)
        }
    };
    is_orphaned.then_some(Orphan::OfGateway(owner))
}
