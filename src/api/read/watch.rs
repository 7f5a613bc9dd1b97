//! The verb `watch`.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::event_writer::EventWriter;
use super::watch_options::{Start, WatchOptions};
use super::watch_stream::{Phase, WatchStream};
use crate::api::access::Session;
use crate::api::body::ResponseBody;
use crate::api::context::Context;
use crate::api::negotiation::Form;
use crate::api::render::table_options;
use crate::api::request::{ResourceRequest, Selection};
use crate::api::status::Status;
use crate::model::Timestamp;
use crate::store::{ReadError, WatchScope};

/// Seconds of a watch without `timeoutSeconds`: a random time, so that the watches of many clients
/// do not end together.
const DEFAULT_SECONDS: std::ops::Range<u64> = 30 * 60..60 * 60;

/// Limits of the interval of bookmarks. A timer must not be of length 0, nor overflow.
const INTERVALS: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_secs(24 * 60 * 60));

/// Answers the changes of objects, as they happen.
pub(in crate::api) fn watch(
    context: &Context,
    request: &ResourceRequest,
    form: Form,
    session: &Session,
) -> Result<Response<ResponseBody>, Status> {
    let options = WatchOptions::parse(&request.query)?;
    let selection = Selection::parse(request)?;
    let table_options = table_options(request, Timestamp::now())?;
    let permit = context.watches.acquire(session.identity())?;
    let store = context.store.clone();
    let mut scope = WatchScope::resource(&request.stored);
    if let Some(namespace) = &request.namespace {
        scope = scope.with_namespace(namespace);
    }
    let newest = store.revision();
    let phase = match options.start {
        Start::Newest => Phase::after(&store, &scope, newest),
        Start::After(revision) => Phase::after(&store, &scope, revision),
        Start::Objects { not_older_than: Some(requested), .. } if requested > newest => {
            return Err(Status::of_read_error(&ReadError::TooNew { requested, newest }));
        }
        Start::Objects { is_announced, .. } => {
            Phase::Objects { revision: newest, after: None, is_announced }
        }
    };
    let now = Instant::now();
    let bookmarks = options.has_bookmarks.then(|| {
        let every = context.settings.bookmark_interval.clamp(INTERVALS.0, INTERVALS.1);
        let mut interval = interval_at(now + every, every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval
    });
    let seconds = || Duration::from_secs(fastrand::u64(DEFAULT_SECONDS));
    let stream = WatchStream {
        store,
        query: request.list_query(),
        scope,
        writer: EventWriter::new(request.clone(), selection, form.shape, table_options),
        phase,
        bookmarks,
        deadline: now + options.timeout.unwrap_or_else(seconds),
        revoked: Box::pin(session.revoked()),
        _permit: permit,
    };
    let mut response = Response::new(ResponseBody::stream(stream.into_body()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.encoding.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Ok(response)
}
