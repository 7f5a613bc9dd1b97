//! Bodies of requests and answers.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::status::{Reason, Status};
use crate::store::ReadError;

/// Body of an answer: bytes, or the stream of a watch or a long list.
///
/// A watch or a list reads its next objects when the body is polled, so that a slow client needs
/// little memory.
#[derive(Debug)]
pub struct ResponseBody(UnsyncBoxBody<Bytes, IncompleteBody>);

/// Error of a body that ends before it is complete. The connection must be closed, so that the
/// client does not take the answer for a complete one.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct IncompleteBody(Interruption);

#[derive(Debug, Clone, thiserror::Error)]
enum Interruption {
    #[error("the client read a list too slowly: its revision is no longer in the history")]
    Gone(#[source] ReadError),
    #[error("the token of the client was revoked while the client read a list")]
    Revoked,
}

impl IncompleteBody {
    /// Creates the error of a list whose revision cannot be read.
    pub(super) fn gone(error: ReadError) -> Self {
        Self(Interruption::Gone(error))
    }

    /// Creates the error of a list whose client has no valid token any more.
    pub(super) fn revoked() -> Self {
        Self(Interruption::Revoked)
    }
}

impl ResponseBody {
    pub(super) fn empty() -> Self {
        Self::stream(Empty::new().map_err(|never| match never {}))
    }

    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::stream(Full::new(bytes.into()).map_err(|never| match never {}))
    }

    pub(super) fn stream(
        body: impl Body<Data = Bytes, Error = IncompleteBody> + Send + 'static,
    ) -> Self {
        Self(UnsyncBoxBody::new(body))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = IncompleteBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, IncompleteBody>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Reads the body of a request.
pub(super) async fn read<B>(body: B, limit: usize, timeout: Duration) -> Result<Bytes, Status>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let too_large = || Status::too_large(format!("Request entity is too large: limit is {limit}"));
    // If Content-Length exceeds the limit, the answer does not wait for the body.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let collected = tokio::time::timeout(timeout, Limited::new(body, limit).collect()).await;
    let Ok(collected) = collected else {
        let seconds = timeout.as_secs();
        let message = format!("the body of the request did not arrive within {seconds} s");
        return Err(Status::failure(Reason::Timeout, message));
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => {
            Err(Status::bad_request(format!("the body of the request cannot be read: {error}")))
        }
    }
}
