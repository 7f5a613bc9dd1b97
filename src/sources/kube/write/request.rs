//! A write: the request, and what the server makes of it.

use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, Request};
use serde_json::{Value, json};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::work::Work;
use crate::model::ObjectKey;
use crate::sources::kube::object::{Live, Received, Seen};

/// Under this name the server remembers who wrote a field.
const FIELD_MANAGER: &str = "sluicegate";

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The version of an object that a write is based on. The API server refuses the write with a
/// conflict if the object has another one by then.
#[derive(Debug, Clone)]
pub(super) struct BaseVersion {
    uid: String,
    resource_version: String,
}

impl From<&Live> for BaseVersion {
    fn from(live: &Live) -> Self {
        Self { uid: live.uid.to_string(), resource_version: live.resource_version.to_string() }
    }
}

/// What came of a write.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is done, and this is the object now; nothing where it was to be deleted.
    Written(Option<Seen>),
    /// There is no such object, as a watch will tell.
    Gone,
    /// It was based on an old state; this is the present one.
    Conflict(Option<Seen>),
    Failed(kube::Error),
    /// There was no answer in time.
    TimedOut(Elapsed),
}

/// Sends a write, and gives it up at `deadline`: afterwards somebody else may be the one who writes.
pub(super) async fn send(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
    work: &Work,
    base: Option<&BaseVersion>,
    deadline: Option<Instant>,
) -> Answer {
    let limit = Instant::now() + TIMEOUT;
    let sending = async {
        match write(client, resource, key, work, base).await {
            Ok(seen) => Answer::Written(seen),
            Err(kube::Error::Api(status)) if status.is_not_found() => Answer::Gone,
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                match read(client, resource, key).await {
                    Ok(seen) => Answer::Conflict(seen),
                    Err(error) => Answer::Failed(error),
                }
            }
            Err(error) => Answer::Failed(error),
        }
    };
    let until = deadline.map_or(limit, |deadline| deadline.min(limit));
    timeout_at(until, sending).await.unwrap_or_else(Answer::TimedOut)
}

async fn write(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
    work: &Work,
    base: Option<&BaseVersion>,
) -> kube::Result<Option<Seen>> {
    let (request, name) = (request(resource, key), key.name.as_str());
    let parameters =
        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    // The items of a list have no apiVersion and kind of their own.
    let typed = |mut object: Value| {
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(resource.kind);
        serde_json::to_vec(&object).map_err(kube::Error::SerdeError)
    };
    let request = match work {
        Work::Status { status, .. } => {
            let object = json!({ "metadata": metadata(key, base), "status": status });
            request.replace_subresource("status", name, &parameters, typed(object)?)
        }
        Work::Create(object) => request.create(&parameters, typed(object.clone())?),
        Work::Replace(object) => request.replace(name, &parameters, typed(object.clone())?),
        Work::Delete => {
            let preconditions = Preconditions {
                uid: base.map(|base| base.uid.clone()),
                resource_version: base.map(|base| base.resource_version.clone()),
            };
            let parameters = DeleteParams::default().preconditions(preconditions);
            let request = request.delete(name, &parameters).map_err(kube::Error::BuildRequest)?;
            // The watch tells when it is gone.
            return client.request_text(request).await.map(|_| None);
        }
        Work::Finalizers(finalizers) => {
            let mut metadata = metadata(key, base);
            metadata["finalizers"] = json!(finalizers);
            let patch = json!({ "metadata": metadata });
            let parameters = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            request.patch(name, &parameters, &Patch::Merge(patch))
        }
    };
    let received: Received = client.request(request.map_err(kube::Error::BuildRequest)?).await?;
    Ok(received.read(key.kind))
}

/// Returns the metadata that identifies an object and the version that a write of it is based on.
fn metadata(key: &ObjectKey, base: Option<&BaseVersion>) -> Value {
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

async fn read(
    client: &Client,
    resource: &ApiResource,
    key: &ObjectKey,
) -> kube::Result<Option<Seen>> {
    let request = request(resource, key).get(key.name.as_str(), &Default::default());
    match client.request::<Received>(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(received) => Ok(received.read(key.kind)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn request(resource: &ApiResource, key: &ObjectKey) -> Request {
    let namespace = key.namespace.as_ref().map(crate::model::NamespaceName::as_str);
    Request::new(<Received as kube::Resource>::url_path(resource, namespace))
}
