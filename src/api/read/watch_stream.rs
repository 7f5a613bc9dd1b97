//! The events of a watch, as a body.

use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};
use tokio::task::yield_now;
use tokio::time::{Instant, Interval, sleep_until};

use super::event_writer::EventWriter;
use crate::api::body::IncompleteBody;
use crate::api::status::Status;
use crate::api::user_limit::UserPermit;
use crate::store::{
    Change, ContinueToken, ListQuery, ReadError, Revision, Store, Watch, WatchScope,
};

/// Bytes, of events or of the objects that were read for them, after which a chunk ends.
const CHUNK_BYTES: usize = 256 << 10;

/// Number of objects that are read in one page for the initial events.
const PAGE: NonZeroUsize = NonZeroUsize::new(500).expect("500 is not 0");

/// A watch: a position in the store.
///
/// Between two chunks it holds a revision or a continue token, and no object. So a client that
/// reads slowly, or never, needs no memory and delays no other watch.
pub(super) struct WatchStream {
    pub(super) store: Store,
    /// The query of the initial events, without a position.
    pub(super) query: ListQuery,
    pub(super) scope: WatchScope,
    pub(super) writer: EventWriter,
    pub(super) phase: Phase,
    pub(super) bookmarks: Option<Interval>,
    pub(super) deadline: Instant,
    /// Completes when the token of the client is no longer valid.
    pub(super) revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
    pub(super) _permit: UserPermit,
}

/// Position of a watch.
pub(super) enum Phase {
    /// The objects that exist at a revision. `is_announced`: a bookmark follows them.
    Objects {
        revision: Revision,
        after: Option<ContinueToken>,
        is_announced: bool,
    },
    Changes(Watch),
    Failed(Box<Status>),
    Ended,
}

impl WatchStream {
    /// Returns the body of the answer.
    pub(super) fn into_body(self) -> WatchBody {
        WatchBody(Some(Box::pin(Box::new(self).next())))
    }

    /// Waits for the next events, and returns them as a chunk, or `None` at the end.
    async fn next(mut self: Box<Self>) -> (Box<Self>, Option<Bytes>) {
        let mut out = Vec::new();
        while out.is_empty() {
            // Other tasks of the thread run between two parts.
            yield_now().await;
            self.phase = match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::Objects { .. } if self.is_revoked().await => Phase::Ended,
                Phase::Objects { revision, after, is_announced } => {
                    let page = self.write_objects(revision, after, &mut out);
                    self.after_page(page, revision, is_announced, &mut out)
                }
                Phase::Changes(watch) => self.write_changes(watch, &mut out).await,
                Phase::Failed(status) => {
                    EventWriter::write_error(&status, &mut out);
                    Phase::Ended
                }
                Phase::Ended => return (self, None),
            };
        }
        (self, Some(out.into()))
    }

    async fn is_revoked(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.revoked.as_mut().poll(cx).is_ready())).await
    }

    /// Writes the events of some objects, and returns the token after the last one, or `None` if
    /// it was the last page.
    fn write_objects(
        &mut self,
        revision: Revision,
        after: Option<ContinueToken>,
        out: &mut Vec<u8>,
    ) -> Result<Option<ContinueToken>, ReadError> {
        let mut query = self.query.clone().with_revision(revision).with_limit(PAGE);
        if let Some(after) = after {
            query = query.with_start(after);
        }
        // Not filtered here: a filter by fields reads each object.
        let page = self.store.list(&query, |_| true)?;
        let mut objects = page.objects.iter().peekable();
        let mut read = 0;
        while let Some(object) = objects.next() {
            read += object.json_len();
            if self.writer.selects(object) {
                self.writer.write_initial(object, out);
            }
            let is_full = out.len() >= CHUNK_BYTES || read >= CHUNK_BYTES;
            if is_full && objects.peek().is_some() {
                return Ok(Some(ContinueToken::after(object, revision)));
            }
        }
        Ok(page.next)
    }

    fn after_page(
        &mut self,
        page: Result<Option<ContinueToken>, ReadError>,
        revision: Revision,
        is_announced: bool,
        out: &mut Vec<u8>,
    ) -> Phase {
        match page {
            Ok(Some(token)) => Phase::Objects { revision, after: Some(token), is_announced },
            Ok(None) => {
                if is_announced {
                    self.writer.write_bookmark(revision, true, out);
                }
                Phase::after(&self.store, &self.scope, revision)
            }
            Err(error) => failed(&error),
        }
    }

    /// Writes the events of the next changes.
    async fn write_changes(&mut self, mut watch: Watch, out: &mut Vec<u8>) -> Phase {
        let tick = async {
            match &mut self.bookmarks {
                Some(interval) => _ = interval.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Revocation and deadline come first, so that a busy watch ends too.
            biased;
            () = &mut self.revoked => Phase::Ended,
            () = sleep_until(self.deadline) => {
                if self.bookmarks.is_some() {
                    self.writer.write_bookmark(watch.revision(), false, out);
                }
                Phase::Ended
            }
            changes = watch.next() => match changes {
                Ok(Some(changes)) => match self.write_some(&changes, out) {
                    None => Phase::Changes(watch),
                    Some(revision) => Phase::after(&self.store, &self.scope, revision),
                },
                Ok(None) => Phase::Ended,
                Err(error) => failed(&error),
            },
            () = tick => {
                self.writer.write_bookmark(watch.revision(), false, out);
                Phase::Changes(watch)
            }
        }
    }

    /// Writes the events of changes until the chunk is full. Returns the revision of the last one
    /// if there are more.
    fn write_some(&mut self, changes: &[Change], out: &mut Vec<u8>) -> Option<Revision> {
        let mut read = 0;
        for (index, change) in changes.iter().enumerate() {
            read += change.object().json_len();
            self.writer.write_change(change, out);
            let is_full = out.len() >= CHUNK_BYTES || read >= CHUNK_BYTES;
            if is_full && index + 1 < changes.len() {
                return Some(change.object().revision());
            }
        }
        None
    }
}

impl Phase {
    /// Returns the position after a revision, or a failed position if the revision is not in the
    /// history.
    pub(super) fn after(store: &Store, scope: &WatchScope, revision: Revision) -> Self {
        match store.watch(scope.clone(), revision) {
            Ok(watch) => Self::Changes(watch),
            Err(error) => failed(&error),
        }
    }
}

/// Returns the end of a watch that missed changes. A revision of the future is of another store, so
/// that its changes are not known either.
fn failed(error: &ReadError) -> Phase {
    let (ReadError::Gone { requested, oldest: known }
    | ReadError::TooNew { requested, newest: known }) = *error;
    Phase::Failed(Box::new(Status::expired(requested, known)))
}

type NextChunk = Pin<Box<dyn Future<Output = (Box<WatchStream>, Option<Bytes>)> + Send>>;

/// Body of the answer to a watch.
pub(super) struct WatchBody(Option<NextChunk>);

impl Body for WatchBody {
    type Data = Bytes;
    type Error = IncompleteBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, IncompleteBody>>> {
        let Some(next) = &mut self.0 else { return Poll::Ready(None) };
        let Poll::Ready((stream, chunk)) = next.as_mut().poll(cx) else { return Poll::Pending };
        // The future does nothing until the client wants the next chunk.
        self.0 = chunk.is_some().then(|| -> NextChunk { Box::pin(stream.next()) });
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

impl fmt::Debug for WatchBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBody").finish_non_exhaustive()
    }
}
