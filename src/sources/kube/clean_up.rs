//! Removal of the objects that a gateway leaves in the cluster when it is uninstalled.

use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::json;

use super::gateway_services::ServicePolicy;
use super::source::KubeSource;
use super::write::CLASS_FINALIZER;
use crate::model::{GATEWAY_GROUP, GatewayController, MANAGED_BY, MANAGED_BY_LABEL};

/// Error of [`KubeSource::clean_up`].
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {object}")]
pub struct CleanUpError {
    operation: &'static str,
    object: String,
    source: kube::Error,
}

impl KubeSource {
    /// Removes the objects that this gateway leaves in the cluster when it is uninstalled: the
    /// Services of Gateways (see [`services`](Self::services)), and the finalizer of its
    /// GatewayClasses, which only a running gateway removes.
    ///
    /// No replica may run, because it would create them again.
    ///
    /// # Errors
    /// Returns the first error of the API server. The objects that are removed by then stay
    /// removed, and a second call continues.
    pub async fn clean_up(&self) -> Result<(), CleanUpError> {
        let settings = self.settings();
        if let Some(policy) = &settings.services {
            delete_services(&settings.client, policy, &settings.controller).await?;
        }
        remove_finalizers(&settings.client, &settings.controller).await
    }
}

async fn delete_services(
    client: &Client,
    policy: &ServicePolicy,
    controller: &GatewayController,
) -> Result<(), CleanUpError> {
    let services: Api<Service> = Api::namespaced(client.clone(), policy.namespace().as_str());
    let of_gateways = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    let listed = services.list(&of_gateways).await.map_err(|source| CleanUpError {
        operation: "list",
        object: format!("Services in namespace {}", policy.namespace()),
        source,
    })?;
    for service in listed {
        let live = serde_json::to_value(&service).unwrap_or_default();
        let Some(name) = service.metadata.name.filter(|_| policy.created(&live, controller)) else {
            continue;
        };
        let preconditions = Preconditions { uid: service.metadata.uid, resource_version: None };
        let parameters = DeleteParams::default().preconditions(preconditions);
        let object = format!("Service {}/{name}", policy.namespace());
        match services.delete(&name, &parameters).await {
            Ok(_) => tracing::info!("deleted {object}"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(source) => return Err(CleanUpError { operation: "delete", object, source }),
        }
    }
    Ok(())
}

async fn remove_finalizers(
    client: &Client,
    controller: &GatewayController,
) -> Result<(), CleanUpError> {
    let kind = GroupVersionKind::gvk(GATEWAY_GROUP, "v1", "GatewayClass");
    let resource = ApiResource::from_gvk_with_plural(&kind, "gatewayclasses");
    let classes: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let listed = match classes.list(&ListParams::default()).await {
        Ok(listed) => listed,
        // The definitions of Gateway API are not installed.
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
        Err(source) => {
            let object = "GatewayClasses".to_owned();
            return Err(CleanUpError { operation: "list", object, source });
        }
    };
    for class in listed {
        let mut finalizers = class.metadata.finalizers.unwrap_or_default();
        let is_ours = class.data["spec"]["controllerName"] == controller.as_str();
        let Some(index) = finalizers.iter().position(|name| is_ours && name == CLASS_FINALIZER)
        else {
            continue;
        };
        finalizers.remove(index);
        let name = class.metadata.name.unwrap_or_default();
        let patch = json!({ "metadata": {
            "finalizers": finalizers,
            "resourceVersion": class.metadata.resource_version,
        }});
        let object = format!("GatewayClass {name}");
        match classes.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(_) => tracing::info!("removed the finalizer of {object}"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(source) => {
                let operation = "remove the finalizer of";
                return Err(CleanUpError { operation, object, source });
            }
        }
    }
    Ok(())
}
