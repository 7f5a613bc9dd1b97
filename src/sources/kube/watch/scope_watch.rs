//! The task that watches one scope. It parses the objects, and retries after errors.

use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::change::{Change, WatchEvent};
use super::last_received::LastReceived;
use super::object_watch::{ObjectEvent, ObjectWatch};
use super::retry_delay::RetryDelay;
use crate::model::NamespaceName;
use crate::sources::kube::discovery::ServedKind;
use crate::sources::kube::observed::Observed;
use crate::sources::kube::raw_object::RawObject;
use crate::sources::kube::scope::Scope;

/// Watches a scope until the receiver of the changes is dropped.
///
/// A list is sent when it is complete: an object that is not yet listed must not look like one that
/// was deleted. `service_namespace` is the namespace of the Services of Gateways.
pub(super) async fn watch_scope(
    client: Client,
    served: ServedKind,
    scope: Scope,
    service_namespace: Option<NamespaceName>,
    changes: mpsc::Sender<Change>,
    last_received: LastReceived,
) {
    let api = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace.as_str(), &served.resource),
        None => Api::all_with(client, &served.resource),
    };
    let parse = |object: RawObject| object.parse(scope.kind, service_namespace.as_ref());
    let mut objects = ObjectWatch::new(api, served.streams_lists);
    let mut listed = Vec::new();
    let mut delay = RetryDelay::new();
    let mut has_failed = false;
    loop {
        let received = objects.next().await;
        if received.is_ok() {
            last_received.update(&scope);
        }
        let event = match received {
            Ok(ObjectEvent::ListStarted) => {
                listed.clear();
                None
            }
            Ok(ObjectEvent::ListItem(object)) => {
                listed.extend(parse(object));
                None
            }
            Ok(ObjectEvent::ListItemDeleted(object)) => {
                let key = object.key(scope.kind);
                listed.retain(|item: &Observed| Some(&item.key) != key.as_ref());
                None
            }
            Ok(ObjectEvent::ListEnded) => Some(WatchEvent::Listed(std::mem::take(&mut listed))),
            Ok(ObjectEvent::Answered) => has_failed.then_some(WatchEvent::Resumed),
            Ok(ObjectEvent::Bookmark) => {
                delay.reset();
                None
            }
            Ok(ObjectEvent::Applied(object)) => parse(object).map(WatchEvent::Applied),
            Ok(ObjectEvent::Deleted(object)) => object.key(scope.kind).map(WatchEvent::Deleted),
            Err(error) => Some(WatchEvent::Failed(error)),
        };
        let Some(event) = event else { continue };
        has_failed = matches!(event, WatchEvent::Failed(_));
        // An answer alone does not reset the delay: the watch may be interrupted again at once.
        let is_reset = !matches!(event, WatchEvent::Failed(_) | WatchEvent::Resumed);
        if changes.send(Change { scope: scope.clone(), event }).await.is_err() {
            return;
        }
        if has_failed {
            sleep(delay.next()).await;
        } else if is_reset {
            delay.reset();
        }
    }
}
