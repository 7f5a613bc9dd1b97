//! The body of a list.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};

use super::list_reader::{ListReader, NextObject};
use super::list_writer::ListWriter;
use super::object_list::ObjectList;
use crate::api::access::Session;
use crate::api::body::{IncompleteBody, ResponseBody};
use crate::api::negotiation::Form;
use crate::api::request::ResourceRequest;
use crate::schema::TableOptions;
use crate::store::ReadError;

/// Bytes, of the text or of the objects that were read for it, after which a chunk ends.
const CHUNK_BYTES: usize = 256 << 10;

/// A long list, written in chunks when the client reads them, so that its text is never in memory
/// as a whole.
struct ListBody {
    reader: ListReader,
    writer: ListWriter,
    /// Completes when the token of the client is no longer valid.
    revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The next chunk. If it is empty, it is written when the client reads it.
    chunk: Vec<u8>,
    is_complete: bool,
    /// The last poll returned a chunk.
    has_returned: bool,
}

/// Returns the body of a list. A short one is complete.
pub(in crate::api) fn list_body(
    list: ObjectList,
    request: &ResourceRequest,
    form: Form,
    table_options: TableOptions,
    session: &Session,
) -> ResponseBody {
    let mut chunk = Vec::new();
    let writer = ListWriter::new(request, form, table_options);
    writer.write_start(list.metadata(), &mut chunk);
    let reader = ListReader::new(list);
    let revoked = Box::pin(session.revoked());
    let mut body =
        ListBody { reader, writer, revoked, chunk, is_complete: false, has_returned: false };
    // After an error, the next read fails again.
    if body.fill().is_ok() && body.is_complete {
        ResponseBody::full(body.chunk)
    } else {
        ResponseBody::stream(body)
    }
}

impl ListBody {
    /// Writes the next objects, and the end of the list after the last one. Writes nothing if the
    /// selectors match no object of the next part.
    fn fill(&mut self) -> Result<(), ReadError> {
        let mut read = 0;
        while self.chunk.len() < CHUNK_BYTES && read < CHUNK_BYTES && !self.is_complete {
            match self.reader.next()? {
                NextObject::Object(object) => {
                    read += object.json_len();
                    self.writer.write(&object, &mut self.chunk);
                }
                NextObject::NotYet => break,
                NextObject::End => {
                    self.writer.write_end(&mut self.chunk);
                    self.is_complete = true;
                }
            }
        }
        Ok(())
    }
}

impl Body for ListBody {
    type Data = Bytes;
    type Error = IncompleteBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, IncompleteBody>>> {
        if std::mem::take(&mut self.has_returned) && !self.is_complete {
            return yield_now(cx);
        }
        if !self.is_complete && self.revoked.as_mut().poll(cx).is_ready() {
            self.chunk.clear();
            self.is_complete = true;
            return Poll::Ready(Some(Err(IncompleteBody::revoked())));
        }
        if self.chunk.is_empty()
            && let Err(source) = self.fill()
        {
            self.is_complete = true;
            return Poll::Ready(Some(Err(IncompleteBody::gone(source))));
        }
        if self.chunk.is_empty() && !self.is_complete {
            return yield_now(cx);
        }
        self.has_returned = true;
        let chunk = std::mem::take(&mut self.chunk);
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk.into()))))
    }
}

/// Lets other tasks of the thread run, between two chunks and between two parts.
fn yield_now<T>(cx: &Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}
