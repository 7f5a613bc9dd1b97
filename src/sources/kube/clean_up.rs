//! Removal of the objects that a gateway leaves in the cluster when it is uninstalled.

use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
    TypeMeta,
};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::error_text::format_error;
use super::gateway_services::ServicePolicy;
use super::lease::{NotFree, wait_until_free};
use super::observed::{CLAIM_ANNOTATION, CONTENDER_ANNOTATION};
use super::source::KubeSource;
use super::write::CLASS_FINALIZER;
use crate::model::{
    ConditionType, GATEWAY_GROUP, GatewayController, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName,
};

/// The annotations of a GatewayClass with the claims of releases.
const CLAIMS: [&str; 2] = [CLAIM_ANNOTATION, CONTENDER_ANNOTATION];

/// Error of [`KubeSource::clean_up`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CleanUpError {
    /// A replica of the gateway runs. Nothing was removed.
    #[error(
        "replica {holder} of this gateway runs: it holds Lease {lease}. Nothing was removed, because a replica would create it again. Delete the Deployment of the gateway, and run this again"
    )]
    ReplicaRuns {
        /// The Lease of the gateway.
        lease: NamespacedName,
        /// The replica that holds the Lease.
        holder: String,
    },
    /// The Lease does not exist, and Services of the gateway do, so the Lease may be that of
    /// another gateway. Nothing was removed.
    #[error(
        "Lease {lease} does not exist, but {services} Services of this gateway do. Nothing was removed, because a replica with another Lease may run. Give the Lease of the gateway, or, if no replica runs, none"
    )]
    NoLease {
        /// The Lease that does not exist.
        lease: NamespacedName,
        /// The number of Services.
        services: usize,
    },
    /// The API server refused these operations, or did not respond. Everything else was removed.
    #[error("{}", list(.0))]
    Failed(Vec<CleanUpFailure>),
}

/// An operation of [`KubeSource::clean_up`] that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {object}")]
pub struct CleanUpFailure {
    operation: &'static str,
    object: String,
    source: kube::Error,
}

/// Returns the failures and their causes.
fn list(failures: &[CleanUpFailure]) -> String {
    let describe =
        |failure: &CleanUpFailure| format!("{failure}: {}", format_error(&failure.source));
    failures.iter().map(describe).collect::<Vec<_>>().join("; ")
}

impl KubeSource {
    /// Removes the objects that this gateway leaves in the cluster when it is uninstalled: the
    /// Services of Gateways (see [`services`](Self::services)), and the finalizer of its
    /// GatewayClasses, which only a running gateway removes. It also removes the claims of releases
    /// on the classes, and the condition `sluicegate.dev/ControllerNameShared` that reports them,
    /// so that a release of another name writes at once.
    ///
    /// No replica may run, because it would create them again. With an
    /// [`election`](Self::election), this first waits until no replica holds the Lease, at most a
    /// minute. Without one, this is not checked.
    ///
    /// # Errors
    /// [`CleanUpError`] if a replica runs, or with all operations that failed. A second call
    /// continues.
    pub async fn clean_up(&self) -> Result<(), CleanUpError> {
        let settings = self.settings();
        let (client, controller) = (&settings.client, &settings.controller);
        let mut missing_lease = None;
        if let Some(election) = &settings.election {
            let lease = election.lease();
            tracing::info!("waiting until no replica holds Lease {lease}");
            match wait_until_free(client, lease).await {
                Ok(()) => {}
                Err(NotFree::Missing) => missing_lease = Some(lease.clone()),
                Err(NotFree::Held(holder)) => {
                    return Err(CleanUpError::ReplicaRuns { lease: lease.clone(), holder });
                }
                Err(NotFree::Unknown(source)) => {
                    let object = format!("Lease {lease}");
                    let failure = CleanUpFailure { operation: "read", object, source };
                    return Err(CleanUpError::Failed(vec![failure]));
                }
            }
        }
        let mut failures = Vec::new();
        if let Some(policy) = &settings.services {
            let services = list_services(client, policy, controller).await;
            let services = services.unwrap_or_else(|failure| {
                failures.push(failure);
                Vec::new()
            });
            if let (Some(lease), false) = (missing_lease, services.is_empty()) {
                return Err(CleanUpError::NoLease { lease, services: services.len() });
            }
            delete_services(client, policy, services, &mut failures).await;
        }
        clean_classes(client, controller, &mut failures).await;
        if !failures.is_empty() {
            return Err(CleanUpError::Failed(failures));
        }
        tracing::info!("clean-up of controller {controller} is complete");
        Ok(())
    }
}

/// Returns the Services that the gateway has created.
async fn list_services(
    client: &Client,
    policy: &ServicePolicy,
    controller: &GatewayController,
) -> Result<Vec<Service>, CleanUpFailure> {
    let services: Api<Service> = Api::namespaced(client.clone(), policy.namespace().as_str());
    let of_gateways = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    let listed = services.list(&of_gateways).await.map_err(|source| {
        let object = format!("Services in namespace {}", policy.namespace());
        CleanUpFailure { operation: "list", object, source }
    })?;
    let is_created = |service: &Service| {
        let live = serde_json::to_value(service).unwrap_or_default();
        policy.created(&live, controller)
    };
    let (created, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(is_created);
    if !others.is_empty() {
        tracing::info!(
            "{} Services of Gateways in namespace {} stay: their annotation \
             sluicegate.dev/controller or their selector is another one",
            others.len(),
            policy.namespace()
        );
    }
    Ok(created)
}

async fn delete_services(
    client: &Client,
    policy: &ServicePolicy,
    created: Vec<Service>,
    failures: &mut Vec<CleanUpFailure>,
) {
    let services: Api<Service> = Api::namespaced(client.clone(), policy.namespace().as_str());
    for service in created {
        let name = service.metadata.name.unwrap_or_default();
        let preconditions = Preconditions { uid: service.metadata.uid, resource_version: None };
        let parameters = DeleteParams::default().preconditions(preconditions);
        let object = format!("Service {}/{name}", policy.namespace());
        match services.delete(&name, &parameters).await {
            Ok(_) => tracing::info!("deleted {object}"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(source) => {
                failures.push(CleanUpFailure { operation: "delete", object, source });
            }
        }
    }
}

async fn clean_classes(
    client: &Client,
    controller: &GatewayController,
    failures: &mut Vec<CleanUpFailure>,
) {
    let kind = GroupVersionKind::gvk(GATEWAY_GROUP, "v1", "GatewayClass");
    let resource = ApiResource::from_gvk_with_plural(&kind, "gatewayclasses");
    let classes: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let listed = match classes.list(&ListParams::default()).await {
        Ok(listed) => listed,
        // The definitions of Gateway API are not installed.
        Err(kube::Error::Api(status)) if status.is_not_found() => return,
        Err(source) => {
            let object = "GatewayClasses".to_owned();
            failures.push(CleanUpFailure { operation: "list", object, source });
            return;
        }
    };
    let is_ours =
        |class: &DynamicObject| class.data["spec"]["controllerName"] == controller.as_str();
    for mut class in listed.into_iter().filter(is_ours) {
        class.types = Some(TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
        failures.extend(remove_condition(&classes, &mut class).await.err());
        failures.extend(remove_metadata(&classes, &class).await.err());
    }
}

/// Removes the condition of a GatewayClass about another release.
async fn remove_condition(
    classes: &Api<DynamicObject>,
    class: &mut DynamicObject,
) -> Result<(), CleanUpFailure> {
    let conditions = class.data.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    let Some(conditions) = conditions else { return Ok(()) };
    let count = conditions.len();
    conditions
        .retain(|condition| condition["type"] != ConditionType::CONTROLLER_NAME_SHARED.as_str());
    if conditions.len() == count {
        return Ok(());
    }
    let name = class.metadata.name.clone().unwrap_or_default();
    match classes.replace_status(&name, &PostParams::default(), class).await {
        Ok(stored) => class.metadata.resource_version = stored.metadata.resource_version,
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(source) => {
            let (operation, object) = ("update the status of", format!("GatewayClass {name}"));
            return Err(CleanUpFailure { operation, object, source });
        }
    }
    Ok(())
}

/// Removes the finalizer and the claims of releases from a GatewayClass. A claim would prevent
/// another release from writing until it expires.
async fn remove_metadata(
    classes: &Api<DynamicObject>,
    class: &DynamicObject,
) -> Result<(), CleanUpFailure> {
    let mut metadata = json!({ "resourceVersion": class.metadata.resource_version });
    let finalizers = class.metadata.finalizers.as_deref().unwrap_or_default();
    if finalizers.iter().any(|finalizer| finalizer == CLASS_FINALIZER) {
        let others = finalizers.iter().filter(|finalizer| *finalizer != CLASS_FINALIZER);
        metadata["finalizers"] = others.cloned().collect();
    }
    let annotations = class.metadata.annotations.iter().flatten();
    for (name, _) in annotations.filter(|(name, _)| CLAIMS.contains(&name.as_str())) {
        metadata["annotations"][name] = Value::Null;
    }
    if metadata.as_object().is_none_or(|fields| fields.len() == 1) {
        return Ok(());
    }
    let name = class.metadata.name.clone().unwrap_or_default();
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    let object = format!("GatewayClass {name}");
    match classes.patch(&name, &PatchParams::default(), &patch).await {
        Ok(_) => tracing::info!("removed the finalizer and the claims of {object}"),
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(source) => {
            let operation = "remove the finalizer and the claims of";
            return Err(CleanUpFailure { operation, object, source });
        }
    }
    Ok(())
}
