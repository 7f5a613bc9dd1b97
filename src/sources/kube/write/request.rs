//! The request of a write, and its result.

use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, Request};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::orphan_check::OrphanCheck;
use super::pending_write::PendingWrite;
use crate::model::{NamespaceName, ObjectKey};
use crate::sources::kube::observed::{Observed, ServerState};
use crate::sources::kube::raw_object::RawObject;

/// The name under which the API server records who wrote a field.
const FIELD_MANAGER: &str = "sluicegate";

/// Maximum time that a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The version of an object that a write is based on. The API server refuses the write with a
/// conflict if the version has changed since.
#[derive(Debug, Clone)]
pub(super) struct BaseVersion {
    uid: String,
    resource_version: String,
}

/// Result of a write.
#[derive(Debug)]
pub(super) enum WriteResult {
    /// The write succeeded. Contains the new state of the object, unless it was deleted.
    Written(Option<Observed>),
    /// The object does not exist. Its watch will report that too.
    NotFound,
    /// The write was based on an old version. Contains the current state of the object, if it
    /// exists.
    Conflict(Option<Observed>),
    /// The object was not deleted, because its Gateway exists.
    Kept,
    Failed(kube::Error),
    TimedOut,
}

/// Error of a write without a response.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not respond within {} s", WRITE_TIMEOUT.as_secs())]
pub(super) struct NoResponse;

impl From<&ServerState> for BaseVersion {
    fn from(state: &ServerState) -> Self {
        Self { uid: state.uid.to_string(), resource_version: state.resource_version.to_string() }
    }
}

/// Sends a write, after the `check` that it requires. It is cancelled at `deadline`, because
/// another replica may write afterwards.
pub(super) async fn send(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
    write: &PendingWrite,
    check: Option<&OrphanCheck>,
    base: Option<&BaseVersion>,
    deadline: Option<Instant>,
) -> WriteResult {
    let limit = Instant::now() + WRITE_TIMEOUT;
    let request = async {
        if let Some(check) = check {
            match check.is_orphaned(client).await {
                Ok(true) => {}
                Ok(false) => return WriteResult::Kept,
                Err(error) => return WriteResult::Failed(error),
            }
        }
        match write_object(client, resource, key, write, base).await {
            Ok(observed) => WriteResult::Written(observed),
            Err(kube::Error::Api(status)) if status.is_not_found() => WriteResult::NotFound,
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                match read_object(client, resource, key).await {
                    Ok(observed) => WriteResult::Conflict(observed),
                    Err(error) => WriteResult::Failed(error),
                }
            }
            Err(error) => WriteResult::Failed(error),
        }
    };
    let until = deadline.map_or(limit, |deadline| deadline.min(limit));
    timeout_at(until, request).await.unwrap_or(WriteResult::TimedOut)
}

async fn write_object(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
    write: &PendingWrite,
    base: Option<&BaseVersion>,
) -> kube::Result<Option<Observed>> {
    let (builder, name) = (request_builder(resource, key), key.name.as_str());
    let parameters =
        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    // The items of a list have no apiVersion and kind of their own.
    let with_type = |mut object: Value| {
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(resource.kind);
        serde_json::to_vec(&object).map_err(kube::Error::SerdeError)
    };
    let request = match write {
        PendingWrite::Status { status, .. } => {
            let object = json!({ "metadata": base_metadata(key, base), "status": status });
            builder.replace_subresource("status", name, &parameters, with_type(object)?)
        }
        PendingWrite::Create(object) => builder.create(&parameters, with_type(object.clone())?),
        PendingWrite::Update(object) => {
            builder.replace(name, &parameters, with_type(object.clone())?)
        }
        PendingWrite::Delete(_) => {
            let preconditions = Preconditions {
                uid: base.map(|base| base.uid.clone()),
                resource_version: base.map(|base| base.resource_version.clone()),
            };
            let parameters = DeleteParams::default().preconditions(preconditions);
            let request = builder.delete(name, &parameters).map_err(kube::Error::BuildRequest)?;
            // The object may exist for some time, until its finalizers are removed. The watch
            // reports the deletion.
            return client.request_text(request).await.map(|_| None);
        }
        PendingWrite::Finalizers(finalizers) => {
            let mut metadata = base_metadata(key, base);
            metadata["finalizers"] = json!(finalizers);
            patch_metadata(&builder, name, metadata)
        }
        PendingWrite::Claim { annotations, .. } => {
            let mut metadata = base_metadata(key, base);
            metadata["annotations"] = annotations.clone();
            patch_metadata(&builder, name, metadata)
        }
    };
    let object: RawObject = client.request(request.map_err(kube::Error::BuildRequest)?).await?;
    Ok(parse(object, key))
}

/// Builds a merge patch of an object's metadata.
fn patch_metadata(
    builder: &Request,
    name: &str,
    metadata: Value,
) -> Result<http::Request<Vec<u8>>, kube::core::request::Error> {
    let patch = json!({ "metadata": metadata });
    let parameters =
        PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    builder.patch(name, &parameters, &Patch::Merge(patch))
}

/// Returns the metadata that identifies an object and the version that a write is based on.
fn base_metadata(key: &ObjectKey, base: Option<&BaseVersion>) -> Value {
    let mut metadata = json!({ "name": key.name });
    if let Some(namespace) = &key.namespace {
        metadata["namespace"] = json!(namespace);
    }
    if let Some(base) = base {
        metadata["uid"] = json!(base.uid);
        metadata["resourceVersion"] = json!(base.resource_version);
    }
    metadata
}

/// Parses the object of a response. A Service is written only in the namespace of managed Services.
fn parse(object: RawObject, key: &ObjectKey) -> Option<Observed> {
    object.parse(key.kind, key.namespace.as_ref())
}

async fn read_object(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
) -> kube::Result<Option<Observed>> {
    let request = request_builder(resource, key).get(key.name.as_str(), &Default::default());
    match client.request::<RawObject>(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(object) => Ok(parse(object, key)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn request_builder(resource: &ApiResource, key: &ObjectKey) -> Request {
    let namespace = key.namespace.as_ref().map(NamespaceName::as_str);
    Request::new(<RawObject as kube::Resource>::url_path(resource, namespace))
}
