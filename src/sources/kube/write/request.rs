//! A write: the request, and what the server makes of it.

use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, Request};
use serde_json::Value;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::work::Work;
use crate::model::ObjectKey;
use crate::sources::kube::object::{Received, Seen};

/// Under this name the server remembers who wrote a field.
const FIELD_MANAGER: &str = "sluicegate";

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    body: &Value,
    deadline: Option<Instant>,
) -> Answer {
    let limit = Instant::now() + TIMEOUT;
    let sending = async {
        match write(client, resource, key, work, body).await {
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
    body: &Value,
) -> kube::Result<Option<Seen>> {
    let (request, name) = (request(resource, key), key.name.as_str());
    let parameters =
        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let bytes = serde_json::to_vec(body).map_err(kube::Error::SerdeError)?;
    let request = match work {
        Work::Status { .. } => request.replace_subresource("status", name, &parameters, bytes),
        Work::Create(_) => request.create(&parameters, bytes),
        Work::Replace(_) => request.replace(name, &parameters, bytes),
        Work::Delete => {
            let text = |field: &str| body["preconditions"][field].as_str().map(str::to_owned);
            let preconditions =
                Preconditions { uid: text("uid"), resource_version: text("resourceVersion") };
            let parameters = DeleteParams::default().preconditions(preconditions);
            let request = request.delete(name, &parameters).map_err(kube::Error::BuildRequest)?;
            // The watch tells when it is gone.
            return client.request_text(request).await.map(|_| None);
        }
        Work::Finalizers(_) => {
            let parameters = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            request.patch(name, &parameters, &Patch::Merge(body))
        }
    };
    let received: Received = client.request(request.map_err(kube::Error::BuildRequest)?).await?;
    Ok(received.read(key.kind))
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
