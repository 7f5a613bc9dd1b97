//! [`WatchRequest`]: one watch request.

use std::marker::PhantomData;
use std::time::Duration;

use kube::Api;
use kube::api::WatchParams;
use kube::core::Request;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::error::WatchError;
use super::event_lines::{EventLines, ReceivedEvent};

/// Range of the duration of a watch in seconds, at the end of which the server closes it. It is
/// short because the end proves that the connection works: between the changes of objects, an API
/// server sends only a bookmark a minute. It varies, so that the watches of many replicas that
/// began at one moment do not end at one moment.
const DURATION_SECS: std::ops::RangeInclusive<u32> = 60..=90;

/// Time after the requested duration in which the end of a watch must arrive.
const END_MARGIN: Duration = Duration::from_secs(5);

/// A watch request that the API server has answered.
pub(in crate::sources::kube) struct WatchRequest<K> {
    events: EventLines,
    /// The instant at which a watch that has not ended counts as dead.
    deadline: Instant,
    received_at: Instant,
    objects: PhantomData<K>,
}

impl<K: kube::Resource + Clone + DeserializeOwned> WatchRequest<K> {
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
        let request = Request::new(api.resource_url()).watch(&parameters, version);
        let request = request.map_err(|error| WatchError::Start(kube::Error::BuildRequest(error)));
        let response = api.clone().into_client().request_stream(request?).await;
        let events = EventLines::new(response.map_err(WatchError::Start)?);
        let now = Instant::now();
        let deadline = now + Duration::from_secs(seconds.into()) + END_MARGIN;
        Ok(Self { events, deadline, received_at: now, objects: PhantomData })
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
        next
    }
}
