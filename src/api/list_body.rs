//! The body of a list.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;

use super::body::ResponseBody;
use super::request::ResourceRequest;
use super::served_object::write_served;
use crate::store::StoredObject;

/// Bytes after which a chunk ends.
const CHUNK_BYTES: usize = 256 << 10;

/// A long list, written in chunks when the client reads them, so that its text is never in memory
/// as a whole.
#[derive(Debug)]
struct ListBody {
    request: ResourceRequest,
    objects: vec::IntoIter<Arc<StoredObject>>,
    /// The next chunk, or the start of it.
    chunk: Vec<u8>,
    is_complete: bool,
}

/// Returns the body of a list. `head` contains its fields but the items.
pub(super) fn list_body(
    head: &Value,
    objects: Vec<Arc<StoredObject>>,
    request: &ResourceRequest,
) -> ResponseBody {
    let mut chunk = head.to_string().into_bytes();
    // Removes the closing brace of the object.
    chunk.pop();
    chunk.extend_from_slice(b",\"items\":[");
    let mut objects = objects.into_iter();
    if let Some(first) = objects.next() {
        write_served(&first, request, &mut chunk);
    }
    let mut list = ListBody { request: request.clone(), objects, chunk, is_complete: false };
    list.fill();
    if list.is_complete { ResponseBody::full(list.chunk) } else { ResponseBody::stream(list) }
}

impl ListBody {
    fn fill(&mut self) {
        while self.chunk.len() < CHUNK_BYTES && !self.is_complete {
            if let Some(object) = self.objects.next() {
                self.chunk.push(b',');
                write_served(&object, &self.request, &mut self.chunk);
            } else {
                self.chunk.extend_from_slice(b"]}\n");
                self.is_complete = true;
            }
        }
    }
}

impl Body for ListBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.fill();
        let chunk = std::mem::take(&mut self.chunk);
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk.into()))))
    }
}
