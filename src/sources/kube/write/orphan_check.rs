//! The check before a Service is deleted: its Gateway is read from the API server.
//!
//! The cache may be outdated, for example because the watch of Gateways fails or is silent. A
//! Gateway that is missing there may exist, and it would lose the address of its Service.

use kube::Client;
use kube::api::GetParams;
use kube::core::{ApiResource, Request};
use serde_json::Value;

use crate::model::{GatewayController, NamespaceName, ObjectKind};
use crate::sources::kube::gateway_services::ServiceOwner;
use crate::sources::kube::raw_object::RawObject;
use crate::sources::kube::served_kinds::ServedKinds;

/// The `reason` of the API server if an object does not exist. If it does not serve the kind, it
/// responds with the same code but without this reason.
const NOT_FOUND: &str = "NotFound";

/// The check before the Service of a Gateway is deleted.
#[derive(Debug)]
pub(super) struct OrphanCheck {
    owner: ServiceOwner,
    controller: GatewayController,
    gateways: ApiResource,
    classes: ApiResource,
}

impl OrphanCheck {
    /// Creates the check. Returns `None` if the API server does not serve Gateways.
    pub(super) fn new(
        owner: &ServiceOwner,
        controller: &GatewayController,
        kinds: &ServedKinds,
    ) -> Option<Self> {
        Some(Self {
            owner: owner.clone(),
            controller: controller.clone(),
            gateways: kinds.get(ObjectKind::Gateway)?.resource.clone(),
            classes: kinds.get(ObjectKind::GatewayClass)?.resource.clone(),
        })
    }

    /// Returns `true` if the Gateway does not exist, is another object of the same name, or has a
    /// class of another controller. Sends at most two requests.
    pub(super) async fn is_orphaned(&self, client: &Client) -> kube::Result<bool> {
        let ServiceOwner { gateway, uid } = &self.owner;
        let namespace = Some(&gateway.namespace);
        let Some(found) = read(client, &self.gateways, namespace, gateway.name.as_str()).await?
        else {
            return Ok(true);
        };
        if uid.as_ref().is_some_and(|uid| found["metadata"]["uid"] != **uid) {
            return Ok(true);
        }
        let Some(class) = found["spec"]["gatewayClassName"].as_str() else { return Ok(false) };
        let class = read(client, &self.classes, None, class).await?;
        Ok(class.is_some_and(|class| class["spec"]["controllerName"] != self.controller.as_str()))
    }
}

/// Reads the newest version of an object. Returns `None` if it does not exist.
async fn read(
    client: &Client,
    resource: &ApiResource,
    namespace: Option<&NamespaceName>,
    name: &str,
) -> kube::Result<Option<Value>> {
    let namespace = namespace.map(NamespaceName::as_str);
    let request = Request::new(<RawObject as kube::Resource>::url_path(resource, namespace))
        .get(name, &GetParams::default());
    match client.request(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.reason == NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}
