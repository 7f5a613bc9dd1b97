//! Simulation of a cluster's controllers: it follows the objects in the store, starts an echo
//! server for each pod of a Deployment, writes the EndpointSlices of Services, and reports the
//! Deployments as available.

use std::collections::BTreeMap;
use std::error::Error;

use serde_json::{Value, json};
use sluicegate::model::{Object, Service, Timestamp};
use sluicegate::store::{
    Change, Key, ListQuery, Resource, Store, StoredObject, WatchScope, Write, WriteError,
};

use crate::pods::{Pods, pods_of};

/// The label of EndpointSlices with the name of the program that writes them, and our name.
const MANAGED_BY_LABEL: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGED_BY: &str = "api-gateway-example";

/// The simulated parts of a cluster.
pub(crate) struct SimulatedCluster {
    store: Store,
    deployments: Resource,
    services: Resource,
    slices: Resource,
    pods: Pods,
}

impl SimulatedCluster {
    pub(crate) fn new(store: Store) -> Self {
        let resource = |group, plural| {
            store.catalog().get(group, plural).expect("the catalog has this resource").clone()
        };
        Self {
            deployments: resource("apps", "deployments"),
            services: resource("", "services"),
            slices: resource("discovery.k8s.io", "endpointslices"),
            pods: Pods::default(),
            store,
        }
    }

    /// Follows the store until it is closed.
    pub(crate) async fn run(mut self) -> Result<(), Box<dyn Error>> {
        loop {
            let mut watch = self.store.watch(WatchScope::all(), self.store.revision())?;
            self.reconcile().await?;
            // Our own writes cause another round, which changes nothing.
            loop {
                match watch.next().await {
                    Ok(None) => return Ok(()),
                    Ok(Some(changes)) if !changes.iter().any(|it| self.is_relevant(it)) => {}
                    // After an error, all objects are read again.
                    Ok(Some(_)) | Err(_) => break,
                }
            }
        }
    }

    fn is_relevant(&self, change: &Change) -> bool {
        let resource = change.object().key().resource();
        [&self.deployments, &self.services, &self.slices].contains(&resource)
    }

    /// Makes echo servers, EndpointSlices and statuses match the Deployments and Services.
    async fn reconcile(&mut self) -> Result<(), Box<dyn Error>> {
        let deployments: Vec<_> = self.list(&self.deployments)?.collect();
        let values: Vec<_> = deployments.iter().map(|object| object.to_value()).collect();
        self.pods.update(values.iter()).await?;
        self.write_slices().await?;
        for (object, value) in deployments.iter().zip(&values) {
            if let Some(status) = changed_status(value) {
                let mut value = value.clone();
                value["status"] = status;
                ignore_conflict(Write::replace_status(object.key().clone(), value), &self.store)
                    .await?;
            }
        }
        Ok(())
    }

    /// Creates, changes and deletes EndpointSlices.
    async fn write_slices(&self) -> Result<(), Box<dyn Error>> {
        let mut desired = BTreeMap::new();
        for service in self.list(&self.services)? {
            // An invalid Service is reported by the gateway.
            let Ok(typed) = service.deserialize::<Service>() else { continue };
            for slice in self.pods.endpoint_slices(&typed) {
                let name = slice.metadata.name.to_string();
                let mut slice = serde_json::to_value(Object::from(slice))?;
                slice["metadata"] = json!({
                    "name": name,
                    "labels": slice["metadata"]["labels"],
                    // The slice is deleted with the Service.
                    "ownerReferences": [{
                        "apiVersion": "v1", "kind": "Service", "controller": true,
                        "name": service.key().name(), "uid": service.uid(),
                    }],
                });
                slice["metadata"]["labels"][MANAGED_BY_LABEL] = json!(MANAGED_BY);
                let namespace = service.key().namespace().unwrap_or_default();
                desired.insert(Key::namespaced(&self.slices, namespace, &name), slice);
            }
        }
        for slice in self.list(&self.slices)? {
            if slice.labels().get(MANAGED_BY_LABEL).is_none_or(|writer| writer != MANAGED_BY) {
                continue;
            }
            let key = slice.key().clone();
            let write = match desired.remove(&key) {
                Some(desired) if is_current(&slice.to_value(), &desired) => continue,
                Some(desired) => Write::replace(key, desired),
                None => Write::delete(key),
            };
            ignore_conflict(write, &self.store).await?;
        }
        for (key, slice) in desired {
            let create = Write::create(&self.slices, key.namespace(), slice);
            ignore_conflict(create, &self.store).await?;
        }
        Ok(())
    }

    fn list(
        &self,
        resource: &Resource,
    ) -> Result<impl Iterator<Item = std::sync::Arc<StoredObject>> + use<>, Box<dyn Error>> {
        let page = self.store.list(&ListQuery::new(resource), |it| !it.is_being_deleted())?;
        Ok(page.objects.into_iter())
    }
}

/// Writes to the store. A conflicting change of another writer causes another round.
async fn ignore_conflict(write: Write, store: &Store) -> Result<(), WriteError> {
    match store.write(write).await {
        Ok(_)
        | Err(
            WriteError::Conflict { .. }
            | WriteError::NotFound(_)
            | WriteError::AlreadyExists { .. }
            | WriteError::NamespaceNotFound(_)
            | WriteError::NamespaceTerminating(_),
        ) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns `true` if a slice has the desired contents.
fn is_current(slice: &Value, desired: &Value) -> bool {
    ["addressType", "endpoints", "ports"].iter().all(|field| slice[field] == desired[field])
        && slice["metadata"]["ownerReferences"] == desired["metadata"]["ownerReferences"]
}

/// Returns the status that a Deployment should have, if it has another one.
fn changed_status(deployment: &Value) -> Option<Value> {
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    let running = pods_of(deployment).len() as u64;
    let known = deployment["status"]["conditions"].as_array();
    let condition = |of_type: &str, status: &str, reason: &str, message: &str| {
        let known = known.and_then(|known| known.iter().find(|known| known["type"] == of_type));
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let time = |field: &str| match known.filter(|known| known["status"] == status) {
            Some(known) => known[field].clone(),
            None => json!(now),
        };
        json!({
            "type": of_type, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": time("lastUpdateTime"),
            "lastTransitionTime": time("lastTransitionTime"),
        })
    };
    let available = match running == wanted {
        true => condition(
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Echo servers of this program run in place of the pods.",
        ),
        false => condition(
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "This program runs no containers. It replaces those whose image name contains echo-basic.",
        ),
    };
    let mut status = json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "conditions": [available],
    });
    if running > 0 {
        for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
            status[field] = json!(running);
        }
    }
    (status != deployment["status"]).then_some(status)
}
