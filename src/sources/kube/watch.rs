//! Watching a kind of object: what is there, then every change.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::object::{Received, Seen};
use super::scope::Scope;
use super::served::Served;
use crate::model::ObjectKey;

/// How long to wait after an error: at first, and at most. An API server that comes back finds us
/// soon, and one that struggles is asked seldom.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A watch that is resumed says nothing before something happens. Where it has not failed again for
/// so long, it works: that is longer than a connection may take.
const CALM: Duration = Duration::from_secs(40);

/// How long the server may keep a watch open, in seconds; it sends bookmarks meanwhile.
const WATCH_SECONDS: u32 = 290;

/// What a watch has to say.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) scope: Scope,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// These are all there are, in place of those known before.
    Listed(Vec<Seen>),
    /// One is new or has changed.
    Applied(Seen),
    /// One is gone.
    Deleted(ObjectKey),
    /// The server does not answer as it should; it is asked again.
    Failed(watcher::Error),
    /// It answers again, and there is nothing new.
    Resumed,
}

/// Watches until nobody wants to know.
///
/// A list is handed on when it is whole, never in parts: an object that is yet to be listed must not
/// look like one that was deleted.
pub(super) async fn watch(
    client: Client,
    served: Served,
    scope: Scope,
    changes: mpsc::Sender<Change>,
) {
    let api = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace.as_str(), &served.resource),
        None => Api::all_with(client, &served.resource),
    };
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    let mut may_stream = served.streams_lists;
    loop {
        let config = if may_stream { config.clone().streaming_lists() } else { config.clone() };
        match follow(watcher(api.clone(), config), may_stream, &scope, &changes).await {
            Ended::Unwanted => return,
            // It said it could, but somebody has turned that off.
            Ended::CannotStream => may_stream = false,
        }
    }
}

/// Why a watch is over.
enum Ended {
    Unwanted,
    CannotStream,
}

async fn follow(
    events: impl Stream<Item = watcher::Result<Event<Received>>>,
    streams_lists: bool,
    scope: &Scope,
    changes: &mpsc::Sender<Change>,
) -> Ended {
    let mut events = std::pin::pin!(events);
    let mut listed = Vec::new();
    let mut delay = FIRST_DELAY;
    let mut has_failed = false;
    loop {
        let next = match has_failed {
            true => timeout(CALM, events.next()).await,
            false => Ok(events.next().await),
        };
        let event = match next {
            Ok(Some(event)) => Some(event),
            Ok(None) => return Ended::Unwanted,
            Err(_) => None,
        };
        let what = match event {
            None => What::Resumed,
            Some(Ok(Event::Init)) => {
                // The end of the list will tell.
                has_failed = false;
                listed.clear();
                continue;
            }
            Some(Ok(Event::InitApply(object))) => {
                listed.extend(object.read(scope.kind));
                continue;
            }
            Some(Ok(Event::InitDone)) => What::Listed(std::mem::take(&mut listed)),
            Some(Ok(Event::Apply(object))) => match object.read(scope.kind) {
                Some(seen) => What::Applied(seen),
                None => continue,
            },
            Some(Ok(Event::Delete(object))) => match object.key(scope.kind) {
                Some(key) => What::Deleted(key),
                None => continue,
            },
            Some(Err(error)) if streams_lists && refuses_to_stream(&error) => {
                return Ended::CannotStream;
            }
            Some(Err(error)) => What::Failed(error),
        };
        has_failed = matches!(what, What::Failed(_));
        if changes.send(Change { scope: scope.clone(), what }).await.is_err() {
            return Ended::Unwanted;
        }
        if has_failed {
            sleep(jittered(delay)).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        } else {
            delay = FIRST_DELAY;
        }
    }
}

/// Replicas that lost their server at one moment do not all come back at one moment.
fn jittered(delay: Duration) -> Duration {
    delay.mul_f64(0.75 + fastrand::f64() / 2.0)
}

/// An older server, or one with the feature turned off, does not know of `sendInitialEvents`.
fn refuses_to_stream(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if matches!(status.code, 400 | 422))
}

/// Whether the server has only forgotten what it told us long ago: everything is then listed anew.
pub(super) fn is_expired(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchError(status) if status.code == 410)
        || matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}
