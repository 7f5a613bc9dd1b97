//! [`ObjectWatch`]: lists all objects of a scope, and then follows their changes.

use std::time::Duration;
use std::vec;

use kube::api::{ListParams, WatchParams};
use kube::{Api, ResourceExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::error::WatchError;
use super::event_lines::ReceivedEvent;
use super::watch_request::WatchRequest;
use crate::sources::kube::raw_object::RawObject;

/// Number of objects in a page of a list.
///
/// Only servers that cannot stream lists get requests for pages. They ignore the limit if a list
/// may come from their cache (`resourceVersion=0`): the response would then contain all objects of
/// the cluster at once, in a state that may be older than the one this replica knows.
const PAGE_LEN: u32 = 500;

/// Maximum time without an object while the server streams a list.
const LIST_STALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Minimum time from one watch request to the next. Without it, a server that closes every watch at
/// once would receive requests without a pause.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// Annotation of the bookmark at the end of a streamed list.
const LIST_END_ANNOTATION: &str = "k8s.io/initial-events-end";

/// The objects of a scope, listed and followed. It has no retry delays: the caller waits after an
/// error.
pub(super) struct ObjectWatch {
    api: Api<RawObject>,
    streams_lists: bool,
    phase: Phase,
    /// The instant before which no watch request is sent.
    earliest_request: Instant,
}

/// An event of an [`ObjectWatch`].
pub(super) enum ObjectEvent {
    /// A list begins. The objects of an earlier list that was not completed must be discarded.
    ListStarted,
    ListItem(RawObject),
    /// An object was deleted before the end of the list, and may be among its items.
    ListItemDeleted(RawObject),
    ListEnded,
    /// The API server has answered the request that resumes the watch.
    Answered,
    Applied(RawObject),
    Deleted(RawObject),
    Bookmark,
}

/// The state of an [`ObjectWatch`] between two events.
enum Phase {
    /// Nothing is listed.
    Unlisted,
    /// The list arrives in pages.
    Pages(Pages),
    /// The list arrives as the beginning of a watch.
    Streaming(WatchRequest<RawObject>),
    /// The objects are known up to this resource version, and no watch is open.
    Paused(String),
    /// The changes after this resource version arrive.
    Watching(String, WatchRequest<RawObject>),
}

/// A list that arrives in pages.
struct Pages {
    received: vec::IntoIter<RawObject>,
    next: NextPage,
}

enum NextPage {
    Token(Option<String>),
    /// There is no further page; the list has this resource version.
    End(String),
}

impl ObjectWatch {
    /// Creates a watch that lists first. `streams_lists` is `true` if the server can send the list
    /// as the beginning of the watch.
    pub(super) fn new(api: Api<RawObject>, streams_lists: bool) -> Self {
        Self { api, streams_lists, phase: Phase::Unlisted, earliest_request: Instant::now() }
    }

    /// Returns the next event. After an error, the next call continues: with the watch if its
    /// version is known, else with a new list.
    ///
    /// # Cancel safety
    /// Cancel safe: a request that is in flight is repeated.
    pub(super) async fn next(&mut self) -> Result<ObjectEvent, WatchError> {
        loop {
            let event = match &mut self.phase {
                Phase::Unlisted if self.streams_lists => self.start_streaming().await?,
                Phase::Unlisted => {
                    let next = NextPage::Token(None);
                    self.phase = Phase::Pages(Pages { received: Vec::new().into_iter(), next });
                    Some(ObjectEvent::ListStarted)
                }
                Phase::Pages(_) => self.next_of_pages().await?,
                Phase::Streaming(_) => self.next_of_stream().await?,
                Phase::Paused(_) => Some(self.resume().await?),
                Phase::Watching(..) => self.next_change().await?,
            };
            if let Some(event) = event {
                return Ok(event);
            }
        }
    }

    /// Requests a streamed list. It is as recent as the request, and the server sends it from its
    /// cache, so many replicas that list at one moment do not load etcd.
    async fn start_streaming(&mut self) -> Result<Option<ObjectEvent>, WatchError> {
        let parameters = WatchParams::default().initial_events();
        match self.request(&parameters, "").await {
            Ok(request) => {
                self.phase = Phase::Streaming(request);
                Ok(Some(ObjectEvent::ListStarted))
            }
            // The version of the server supports it, but the feature is disabled.
            Err(error) if error.is_streaming_refused() => {
                self.streams_lists = false;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn next_of_stream(&mut self) -> Result<Option<ObjectEvent>, WatchError> {
        let Phase::Streaming(request) = &mut self.phase else { return Ok(None) };
        let error = match timeout(LIST_STALL_TIMEOUT, request.next()).await {
            Ok(Some(Ok(ReceivedEvent::Applied(object)))) => {
                return Ok(Some(ObjectEvent::ListItem(object)));
            }
            // A change may arrive before the bookmark that ends the list.
            Ok(Some(Ok(ReceivedEvent::Deleted(object)))) => {
                return Ok(Some(ObjectEvent::ListItemDeleted(object)));
            }
            Ok(Some(Ok(ReceivedEvent::Bookmark(bookmark)))) => {
                if !bookmark.metadata.annotations.contains_key(LIST_END_ANNOTATION) {
                    return Ok(Some(ObjectEvent::Bookmark));
                }
                let version = bookmark.metadata.resource_version;
                if let Phase::Streaming(request) =
                    std::mem::replace(&mut self.phase, Phase::Unlisted)
                {
                    self.phase = Phase::Watching(version, request);
                }
                return Ok(Some(ObjectEvent::ListEnded));
            }
            Ok(Some(Err(error))) => error,
            Ok(None) => WatchError::ListIncomplete,
            Err(_) => WatchError::ListStalled(LIST_STALL_TIMEOUT),
        };
        self.phase = Phase::Unlisted;
        Err(error)
    }

    async fn next_of_pages(&mut self) -> Result<Option<ObjectEvent>, WatchError> {
        let Phase::Pages(pages) = &mut self.phase else { return Ok(None) };
        if let Some(object) = pages.received.next() {
            return Ok(Some(ObjectEvent::ListItem(object)));
        }
        let token = match &pages.next {
            NextPage::Token(token) => token.clone(),
            NextPage::End(version) => {
                self.phase = Phase::Paused(version.clone());
                return Ok(Some(ObjectEvent::ListEnded));
            }
        };
        let parameters =
            ListParams { limit: Some(PAGE_LEN), continue_token: token, ..ListParams::default() };
        let page = self.api.list(&parameters).await.map_err(WatchError::List).and_then(|list| {
            let is_some = |text: &String| !text.is_empty();
            let next = match list.metadata.continue_.filter(is_some) {
                Some(token) => NextPage::Token(Some(token)),
                None => {
                    let version = list.metadata.resource_version.filter(is_some);
                    NextPage::End(version.ok_or(WatchError::NoResourceVersion)?)
                }
            };
            Ok(Pages { received: list.items.into_iter(), next })
        });
        match page {
            Ok(page) => {
                self.phase = Phase::Pages(page);
                Ok(None)
            }
            Err(error) => {
                self.phase = Phase::Unlisted;
                Err(error)
            }
        }
    }

    async fn resume(&mut self) -> Result<ObjectEvent, WatchError> {
        let version = match &self.phase {
            Phase::Paused(version) => version.clone(),
            _ => String::new(),
        };
        match self.request(&WatchParams::default(), &version).await {
            Ok(request) => {
                self.phase = Phase::Watching(version, request);
                Ok(ObjectEvent::Answered)
            }
            Err(error) => {
                if error.is_expired() {
                    self.phase = Phase::Unlisted;
                }
                Err(error)
            }
        }
    }

    async fn next_change(&mut self) -> Result<Option<ObjectEvent>, WatchError> {
        let Phase::Watching(version, request) = &mut self.phase else { return Ok(None) };
        let (next_version, event) = match request.next().await {
            Some(Ok(ReceivedEvent::Applied(object))) => {
                (object.resource_version().unwrap_or_default(), ObjectEvent::Applied(object))
            }
            Some(Ok(ReceivedEvent::Deleted(object))) => {
                (object.resource_version().unwrap_or_default(), ObjectEvent::Deleted(object))
            }
            Some(Ok(ReceivedEvent::Bookmark(bookmark))) => {
                (bookmark.metadata.resource_version, ObjectEvent::Bookmark)
            }
            Some(Err(error)) => return self.fail(error),
            None => {
                self.phase = Phase::Paused(std::mem::take(version));
                return Ok(None);
            }
        };
        if next_version.is_empty() {
            self.phase = Phase::Unlisted;
            return Err(WatchError::NoResourceVersion);
        }
        *version = next_version;
        Ok(Some(event))
    }

    /// Decides how to continue after an error of an open watch.
    fn fail(&mut self, error: WatchError) -> Result<Option<ObjectEvent>, WatchError> {
        // An event that cannot be parsed is skipped: it would come again if the watch were resumed
        // from the version before it.
        if !matches!(error, WatchError::Interrupted(kube::Error::SerdeError(_))) {
            let phase = std::mem::replace(&mut self.phase, Phase::Unlisted);
            if let (Phase::Watching(version, _), false) = (phase, error.is_expired()) {
                self.phase = Phase::Paused(version);
            }
        }
        Err(error)
    }

    async fn request(
        &mut self,
        parameters: &WatchParams,
        version: &str,
    ) -> Result<WatchRequest<RawObject>, WatchError> {
        sleep_until(self.earliest_request).await;
        self.earliest_request = Instant::now() + MIN_REQUEST_INTERVAL;
        WatchRequest::start(&self.api, parameters, version).await
    }
}
