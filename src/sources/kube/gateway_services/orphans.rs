//! Orphans: Services that no Gateway needs any more.

use serde_json::{Value, json};

use super::service_metadata::{CONTROLLER_ANNOTATION, GATEWAY_ANNOTATION};
use super::template::ServiceTemplate;
use crate::model::{
    GATEWAY_UID_LABEL, GatewayController, Labels, MANAGED_BY, MANAGED_BY_LABEL, NamespaceName,
    NamespacedName, Resources, StatusReport,
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

/// Returns `true` if a Service that is not desired must be deleted: this release created it, and
/// its Gateway was deleted, has a class of another controller, or needs no Service any more.
///
/// A Gateway that is not accepted, or whose class is not accepted, keeps its Service, so that it
/// keeps its address. `is_known` returns `true` if the Gateways of a namespace are known: the
/// permission to read them may be missing.
pub(in crate::sources::kube) fn is_orphaned(
    live: &Value,
    policy: &ServicePolicy,
    controller: &GatewayController,
    resources: &Resources,
    report: &StatusReport,
    is_known: impl FnOnce(&NamespaceName) -> bool,
) -> bool {
    if !policy.created(live, controller) {
        return false;
    }
    let metadata = &live["metadata"];
    let gateway = metadata["annotations"][GATEWAY_ANNOTATION].as_str();
    let Some(gateway) = gateway.and_then(|name| name.parse::<NamespacedName>().ok()) else {
        return false;
    };
    if matches!(policy, ServicePolicy::Delete { .. }) {
        return true;
    }
    let Some(gateway) = resources.gateways.get(&gateway) else {
        return is_known(&gateway.namespace);
    };
    let uid = metadata["labels"][GATEWAY_UID_LABEL].as_str();
    uid.is_some_and(|uid| gateway.metadata.uid.as_deref() != Some(uid))
        || !report.gateway_classes.contains_key(&gateway.spec.gateway_class_name)
}
