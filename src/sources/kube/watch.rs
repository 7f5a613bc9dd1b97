//! The watch of one kind of object: first a list of all objects, then every change.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::discovery::ServedKind;
use super::observed::Observed;
use super::raw_object::RawObject;
use super::scope::Scope;
use crate::model::ObjectKey;

/// Delay before the first retry after an error. It doubles with every error, up to
/// [`MAX_RETRY_DELAY`]: the source reconnects soon after a short outage, and does not overload an
/// API server that recovers slowly.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(250);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Time after which a watch that was resumed counts as working, if it has not failed again. A
/// resumed watch sends nothing until an object changes, so its success is not visible otherwise.
/// The time is longer than the connect timeout.
const RESUMED_AFTER: Duration = Duration::from_secs(40);

/// Maximum time for which the server keeps a watch open, in seconds.
const WATCH_TIMEOUT_SECS: u32 = 290;

/// An event of the watch of a scope.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) scope: Scope,
    pub(super) event: WatchEvent,
}

/// An event of a watch.
#[derive(Debug)]
pub(super) enum WatchEvent {
    /// The complete list of the objects, which replaces all objects known before.
    Listed(Vec<Observed>),
    /// An object was created or changed.
    Applied(Observed),
    /// An object was deleted.
    Deleted(ObjectKey),
    /// A request failed, and will be retried.
    Failed(watcher::Error),
    /// The watch works again after a failure, and nothing has changed.
    Resumed,
}

/// Reason for the end of a watch.
enum Stop {
    ReceiverDropped,
    StreamingUnsupported,
}

/// Watches a scope until the receiver of the changes is dropped.
///
/// A list is sent when it is complete: an object that is not yet listed must not look like one that
/// was deleted.
pub(super) async fn watch(
    client: Client,
    served: ServedKind,
    scope: Scope,
    changes: mpsc::Sender<Change>,
) {
    let api = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace.as_str(), &served.resource),
        None => Api::all_with(client, &served.resource),
    };
    let config = watcher::Config::default().timeout(WATCH_TIMEOUT_SECS);
    let mut streams_lists = served.streams_lists;
    loop {
        let config = if streams_lists { config.clone().streaming_lists() } else { config.clone() };
        match follow(watcher(api.clone(), config), streams_lists, &scope, &changes).await {
            Stop::ReceiverDropped => return,
            // The version of the server supports it, but the feature is disabled.
            Stop::StreamingUnsupported => streams_lists = false,
        }
    }
}

async fn follow(
    events: impl Stream<Item = watcher::Result<Event<RawObject>>>,
    streams_lists: bool,
    scope: &Scope,
    changes: &mpsc::Sender<Change>,
) -> Stop {
    let mut events = std::pin::pin!(events);
    let mut listed = Vec::new();
    let mut delay = MIN_RETRY_DELAY;
    let mut has_failed = false;
    loop {
        let next = match has_failed {
            true => timeout(RESUMED_AFTER, events.next()).await,
            false => Ok(events.next().await),
        };
        let received = match next {
            Ok(Some(received)) => Some(received),
            Ok(None) => return Stop::ReceiverDropped,
            Err(_) => None,
        };
        let event = match received {
            None => WatchEvent::Resumed,
            Some(Ok(Event::Init)) => {
                // The end of the list shows if the watch works.
                has_failed = false;
                listed.clear();
                continue;
            }
            Some(Ok(Event::InitApply(object))) => {
                listed.extend(object.parse(scope.kind));
                continue;
            }
            Some(Ok(Event::InitDone)) => WatchEvent::Listed(std::mem::take(&mut listed)),
            Some(Ok(Event::Apply(object))) => match object.parse(scope.kind) {
                Some(observed) => WatchEvent::Applied(observed),
                None => continue,
            },
            Some(Ok(Event::Delete(object))) => match object.key(scope.kind) {
                Some(key) => WatchEvent::Deleted(key),
                None => continue,
            },
            Some(Err(error)) if streams_lists && is_streaming_refused(&error) => {
                return Stop::StreamingUnsupported;
            }
            Some(Err(error)) => WatchEvent::Failed(error),
        };
        has_failed = matches!(event, WatchEvent::Failed(_));
        if changes.send(Change { scope: scope.clone(), event }).await.is_err() {
            return Stop::ReceiverDropped;
        }
        if has_failed {
            sleep(with_jitter(delay)).await;
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        } else {
            delay = MIN_RETRY_DELAY;
        }
    }
}

/// Varies a delay by a quarter, so that replicas that lost their server at the same moment do not
/// all reconnect at the same moment.
fn with_jitter(delay: Duration) -> Duration {
    delay.mul_f64(0.75 + fastrand::f64() / 2.0)
}

/// Returns `true` if the server rejected `sendInitialEvents`, because it is too old or because the
/// feature is disabled.
fn is_streaming_refused(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) if matches!(status.code, 400 | 422)
    )
}

/// Returns `true` if the requested resource version is too old. All objects are then listed again,
/// so this is no error to report.
pub(super) fn is_expired(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchError(status) if status.code == 410)
        || matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

/// Returns `true` if the server no longer serves the kind.
pub(super) fn is_not_found(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.is_not_found(),
        _ => false,
    }
}
