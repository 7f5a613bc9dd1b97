//! [`WatchRequest`]: one watch request.

use std::fmt;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use kube::core::watch::Bookmark;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::error::WatchError;

/// Range of the duration of a watch in seconds, at the end of which the server closes it. It is
/// short because the end proves that the connection works: between the changes of objects, an API
/// server sends only a bookmark a minute. It varies, so that the watches of many replicas that
/// began at one moment do not end at one moment.
const DURATION_SECS: std::ops::RangeInclusive<u32> = 60..=90;

/// Time after the requested duration in which the end of a watch must arrive.
const END_MARGIN: Duration = Duration::from_secs(5);

/// An event of a watch.
pub(in crate::sources::kube) enum ReceivedEvent<K> {
    /// An object was created or changed, or exists when the watch begins.
    Applied(K),
    Deleted(K),
    /// No object changed up to this resource version.
    Bookmark(Bookmark),
}

/// A watch request that the API server has answered.
pub(in crate::sources::kube) struct WatchRequest<K> {
    events: BoxStream<'static, kube::Result<WatchEvent<K>>>,
    /// The instant at which a watch that has not ended counts as dead.
    deadline: Instant,
    received_at: Instant,
}

impl<K: Clone + fmt::Debug + DeserializeOwned + Send + 'static> WatchRequest<K> {
    /// Sends the request, and returns when the API server has answered it.
    ///
    /// # Errors
    /// [`WatchError::Start`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the request is cancelled.
    pub(in crate::sources::kube) async fn start(
        api: &Api<K>,
        parameters: &WatchParams,
        version: &str,
    ) -> Result<Self, WatchError> {
        let seconds = fastrand::u32(DURATION_SECS);
        let parameters = parameters.clone().timeout(seconds);
        let events = api.watch(&parameters, version).await.map_err(WatchError::Start)?;
        let now = Instant::now();
        let deadline = now + Duration::from_secs(seconds.into()) + END_MARGIN;
        Ok(Self { events: events.boxed(), deadline, received_at: now })
    }

    /// Returns the next event, or `None` at the end of the watch. After an error, the watch may
    /// continue.
    ///
    /// # Errors
    /// [`WatchError::Silent`] if the watch has not ended in time, and the errors of the stream.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub(in crate::sources::kube) async fn next(
        &mut self,
    ) -> Option<Result<ReceivedEvent<K>, WatchError>> {
        // Events that have arrived are returned after the deadline too: the receiver may be slow.
        let Ok(next) = timeout_at(self.deadline, self.events.next()).await else {
            let silence = self.received_at.elapsed();
            // A server that ignores the requested duration is not silent.
            return (silence > END_MARGIN).then_some(Err(WatchError::Silent(silence)));
        };
        self.received_at = Instant::now();
        Some(match next? {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                Ok(ReceivedEvent::Applied(object))
            }
            Ok(WatchEvent::Deleted(object)) => Ok(ReceivedEvent::Deleted(object)),
            Ok(WatchEvent::Bookmark(bookmark)) => Ok(ReceivedEvent::Bookmark(bookmark)),
            Ok(WatchEvent::Error(status)) => Err(WatchError::Reported(status)),
            Err(error) => Err(WatchError::Interrupted(error)),
        })
    }
}
