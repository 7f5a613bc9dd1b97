//! The body of an answer, which reports its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};

use super::progress::Progress;

/// Body of an answer. When hyper drops it, the answer is complete.
#[derive(Debug)]
pub(super) struct ServedBody<B> {
    body: B,
    progress: Progress,
}

impl<B> ServedBody<B> {
    pub(super) fn new(body: B, progress: Progress) -> Self {
        Self { body, progress }
    }
}

impl<B: Body + Unpin> Body for ServedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for ServedBody<B> {
    fn drop(&mut self) {
        self.progress.note_answer();
    }
}
