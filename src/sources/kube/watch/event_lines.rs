//! [`EventLines`]: the events of a watch, one in each line of a response.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::pin::Pin;

use futures_util::{AsyncBufRead, AsyncBufReadExt};
use kube::core::watch::Bookmark;
use kube::core::{Status, TypeMeta};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::WatchError;

/// Maximum length of a line. An API server stores objects of at most 1.5 MiB, whose JSON may be
/// longer.
const MAX_LINE_LEN: usize = 16 << 20;

/// Capacity of the buffer that is kept from one line to the next.
const KEPT_CAPACITY: usize = 64 << 10;

/// An event of a watch.
pub(in crate::sources::kube) enum ReceivedEvent<K> {
    /// An object was created or changed, or exists when the watch begins.
    Applied(K),
    Deleted(K),
    /// No object changed up to this resource version.
    Bookmark(Bookmark),
}

/// The events of a watch. The object of an event is deserialized from the received line, without a
/// tree of JSON values in between.
pub(super) struct EventLines {
    response: Pin<Box<dyn AsyncBufRead + Send>>,
    line: Vec<u8>,
}

/// A line: the fields may come in any order.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl EventLines {
    pub(super) fn new(response: impl AsyncBufRead + Send + 'static) -> Self {
        Self { response: Box::pin(response), line: Vec::new() }
    }

    /// Returns the next event, or `None` at the end of the response. A line that is not complete at
    /// the end is no event.
    ///
    /// # Errors
    /// [`WatchError::Reported`] for an event that is an error, and [`WatchError::Interrupted`].
    /// After an event that cannot be read, the next ones can be.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub(super) async fn next<K: DeserializeOwned>(
        &mut self,
    ) -> Option<Result<ReceivedEvent<K>, WatchError>> {
        match self.read_line().await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) if is_unexpected_end(&error) => return None,
            Err(error) => {
                return Some(Err(WatchError::Interrupted(kube::Error::ReadEvents(error))));
            }
        }
        let event = parse(&self.line);
        self.line.clear();
        self.line.shrink_to(KEPT_CAPACITY);
        Some(event)
    }

    /// Reads up to the end of a line. Returns `false` at the end of the response.
    async fn read_line(&mut self) -> io::Result<bool> {
        loop {
            let received = self.response.fill_buf().await?;
            if received.is_empty() {
                return Ok(false);
            }
            let end = received.iter().position(|byte| *byte == b'\n');
            self.line.extend_from_slice(&received[..end.unwrap_or(received.len())]);
            let consumed = end.map_or(received.len(), |end| end + 1);
            self.response.consume_unpin(consumed);
            if end.is_some() {
                return Ok(true);
            }
            if self.line.len() > MAX_LINE_LEN {
                let message = format!("an event is longer than {} MiB", MAX_LINE_LEN >> 20);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
    }
}

/// Returns `true` if the connection was closed within a response: the server has stopped, and the
/// watch can be resumed as after its end.
fn is_unexpected_end(error: &io::Error) -> bool {
    let is_end = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    let mut source = error.get_ref().map(|source| source as &(dyn Error + 'static));
    is_end(error)
        || std::iter::from_fn(|| {
            let error = source?;
            source = error.source();
            Some(error)
        })
        .any(|error| error.downcast_ref().is_some_and(is_end))
}

fn parse<K: DeserializeOwned>(line: &[u8]) -> Result<ReceivedEvent<K>, WatchError> {
    let parsed = serde_json::from_slice::<Line<'_>>(line).and_then(|Line { event, object }| {
        let object = object.get();
        Ok(match &*event {
            "ADDED" | "MODIFIED" => Ok(ReceivedEvent::Applied(serde_json::from_str(object)?)),
            "DELETED" => Ok(ReceivedEvent::Deleted(serde_json::from_str(object)?)),
            "BOOKMARK" => Ok(ReceivedEvent::Bookmark(serde_json::from_str(object)?)),
            "ERROR" => Err(WatchError::Reported(Box::new(serde_json::from_str(object)?))),
            _ => return Err(serde::de::Error::custom(format!("unknown event type `{event}`"))),
        })
    });
    parsed.unwrap_or_else(|error| {
        // A proxy may end the response with a status instead of an event.
        let error = parse_status(line).map_or(kube::Error::SerdeError(error), kube::Error::Api);
        Err(WatchError::Interrupted(error))
    })
}

/// Parses a line that contains a status. Every field of a status is optional, so only the kind
/// distinguishes it from other JSON.
fn parse_status(line: &[u8]) -> Option<Box<Status>> {
    let types: TypeMeta = serde_json::from_slice(line).ok()?;
    (types.kind == "Status").then(|| serde_json::from_slice(line).ok())?
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::stream::{self, TryStreamExt};
    use kube::core::DynamicObject;

    use super::*;

    type Chunk = Result<&'static str, io::Error>;

    /// Returns the events of a response that arrives in these chunks, as text.
    fn read(chunks: Vec<Chunk>) -> Vec<String> {
        let mut lines = EventLines::new(stream::iter(chunks).into_async_read());
        let mut events = Vec::new();
        while let Some(event) = lines.next::<DynamicObject>().now_or_never().unwrap() {
            events.push(match event {
                Ok(ReceivedEvent::Applied(object)) => format!("applied {}", name(object)),
                Ok(ReceivedEvent::Deleted(object)) => format!("deleted {}", name(object)),
                Ok(ReceivedEvent::Bookmark(bookmark)) => {
                    format!("bookmark {}", bookmark.metadata.resource_version)
                }
                Err(WatchError::Reported(status)) => format!("reported {}", status.code),
                Err(WatchError::Interrupted(kube::Error::Api(status))) => {
                    format!("status {}", status.code)
                }
                Err(WatchError::Interrupted(kube::Error::SerdeError(_))) => "unreadable".to_owned(),
                Err(error) => format!("{error:?}"),
            });
        }
        events
    }

    fn name(object: DynamicObject) -> String {
        object.metadata.name.unwrap()
    }

    #[test]
    fn lines_are_joined_from_chunks() {
        let events = read(vec![
            Ok("{\"type\":\"ADDED\",\"obj"),
            Ok("ect\":{\"metadata\":{\"name\":\"a\"}}}\n{\"type\":\"DELETED\",\"object\":"),
            Ok("{\"metadata\":{\"name\":\"b\"}}}\n"),
            Ok(r#"{"type":"ADDED","object":{"metadata":{"na"#),
        ]);
        assert_eq!(events, ["applied a", "deleted b"]);
    }

    #[test]
    fn fields_of_an_event_may_come_in_any_order() {
        let line = "{\"object\":{\"metadata\":{\"name\":\"a\"}},\"type\":\"MODIFIED\"}\n";
        assert_eq!(read(vec![Ok(line)]), ["applied a"]);
    }

    #[test]
    fn events_after_an_unreadable_one_are_read() {
        let events = read(vec![Ok(concat!(
            "{\"type\":\"ADDED\",\"object\":7}\n",
            "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}\n",
            "{\"type\":\"RENAMED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n",
            "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Service\",\"apiVersion\":\"v1\",",
            "\"metadata\":{\"resourceVersion\":\"7\"}}}\n",
        ))]);
        assert_eq!(events, ["unreadable", "unreadable", "unreadable", "bookmark 7"]);
    }

    #[test]
    fn errors_are_events_or_statuses() {
        let events = read(vec![Ok(concat!(
            "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"too old\"}}\n",
            "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"code\":504,\"message\":\"timeout\"}\n",
        ))]);
        assert_eq!(events, ["reported 410", "status 504"]);
    }

    #[test]
    fn close_within_a_response_is_its_end() {
        let close = io::Error::from(io::ErrorKind::UnexpectedEof);
        let wrapped = io::Error::other(kube::Error::ReadEvents(close));
        assert_eq!(read(vec![Err(wrapped)]), Vec::<String>::new());
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let events = read(vec![Err(reset)]);
        assert!(events[0].contains("ConnectionReset"), "{events:?}");
    }
}
