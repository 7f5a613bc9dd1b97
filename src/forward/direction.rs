//! One direction of a connection: what one side says, carried to the other.
//!
//! It reads into a buffer of the worker's and writes at once; only if the other side does not take
//! everything does it keep the buffer, and it reads no more until it is rid of it: that is the
//! back-pressure. Once it turns out to carry bulk, a pipe takes the buffer's place, and the bytes
//! are moved rather than copied, until it is quiet again.

use std::cell::Cell;
use std::io::{self, Read};
use std::mem;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::yield_now;

use super::buffer::Buffer;
use super::pipe::{CAPACITY, Pipe};

/// Bytes a direction may carry before other connections of the worker get their turn.
const BUDGET: u64 = 256 * 1024;

/// A read of so many bytes is a large one. A full buffer would be the wrong sign: whoever keeps up
/// with a fast sender seldom sees one.
const LARGE: usize = 8 * 1024;

/// So many large reads in a row are bulk.
const BULK: u8 = 4;

/// What bulk may move at once while others on the worker have little to say, and wait to say it. It
/// costs more than to fill the pipe, but a quarter of the time goes by until it is their turn.
const BITE: usize = 256 * 1024;

thread_local! {
    /// Small reads on this worker so far.
    static SMALL_READS: Cell<u32> = const { Cell::new(0) };
}

/// A side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Downstream,
    Upstream,
}

/// Bytes carried, counted as they go.
pub(super) struct Meter<'a> {
    pub(super) bytes: &'a mut u64,
    pub(super) total: &'a AtomicU64,
}

/// What one side says to the other.
pub(super) struct Direction<'a> {
    from: Side,
    source: &'a TcpStream,
    sink: &'a TcpStream,
    in_hand: Option<InHand>,
    /// Large reads in a row, as far as they matter.
    large_reads: u8,
    /// Small reads on the worker, as of the last bulk.
    small_reads: u32,
    is_done: bool,
    meter: Meter<'a>,
    /// Resolves when the source is lost; there once it was needed.
    loss: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

/// What is read, but not written.
enum InHand {
    /// These bytes of the buffer.
    Copied {
        buffer: Buffer,
        start: usize,
        end: usize,
    },
    Moved(Pipe),
}

impl<'a> Direction<'a> {
    pub(super) fn new(
        from: Side,
        source: &'a TcpStream,
        sink: &'a TcpStream,
        meter: Meter<'a>,
    ) -> Self {
        Self {
            from,
            source,
            sink,
            in_hand: None,
            large_reads: 0,
            small_reads: 0,
            is_done: false,
            meter,
            loss: None,
        }
    }

    pub(super) fn from(&self) -> Side {
        self.from
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Carries no more.
    pub(super) fn stop(&mut self) {
        self.is_done = true;
        self.in_hand = None;
    }

    /// Tells the sink that the source has said all.
    ///
    /// # Errors
    /// The sink's side, if that is lost.
    pub(super) fn pass_end_on(&self) -> Result<(), Side> {
        SockRef::from(self.sink).shutdown(Shutdown::Write).map_err(|_| self.from.other())
    }

    /// Carries until the source ends.
    ///
    /// A source that nobody reads from is watched, since nobody would notice that it is lost: the
    /// source of a direction that is done, and a client whose bytes are stalled.
    ///
    /// # Errors
    /// The side that was lost.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        if !self.is_done {
            let ended = self.poll_carry(cx);
            let is_stalled_client = self.from == Side::Downstream && self.in_hand.is_some();
            if ended.is_ready() || !is_stalled_client {
                return ended;
            }
        }
        let source = self.source;
        let loss = self.loss.get_or_insert_with(|| {
            Box::pin(async move {
                // It fails only while the runtime shuts down.
                let _ = source.ready(Interest::ERROR).await;
            })
        });
        loss.as_mut().poll(cx).map(|()| Err(self.from))
    }

    fn poll_carry(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        let enough = *self.meter.bytes + BUDGET;
        loop {
            ready!(self.poll_write(cx)).map_err(|_| self.from.other())?;
            if *self.meter.bytes >= enough {
                // Others first, those included that the runtime has not heard of yet: woken at once,
                // this task and its like would keep it from listening.
                let _ = pin!(yield_now()).poll(cx);
                return Poll::Pending;
            }
            self.large_reads = match ready!(self.poll_read(cx)) {
                Ok(0) => return Poll::Ready(Ok(())),
                Ok(LARGE..) => BULK.min(self.large_reads + 1),
                Ok(_) => {
                    SMALL_READS.set(SMALL_READS.get().wrapping_add(1));
                    0
                }
                // There are no pipes here. What there is to read is copied, then.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => 0,
                Err(_) => return Poll::Ready(Err(self.from)),
            };
        }
    }

    /// Takes what there is to read in hand, and says how many bytes; 0 is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { source, .. } = *self;
        let (read, in_hand) = match self.pipe() {
            Some(mut pipe) => {
                let before = mem::replace(&mut self.small_reads, SMALL_READS.get());
                let limit = if before == self.small_reads { CAPACITY } else { BITE };
                // However much it is, there may be more: a pipe can be full of little.
                let read = ready!(poll_read(source, cx, 0, || pipe.fill(source, limit)))?;
                (read, InHand::Moved(pipe))
            }
            None => {
                let mut buffer = Buffer::take();
                let socket = SockRef::from(source);
                let read =
                    ready!(poll_read(source, cx, buffer.len(), || (&*socket).read(&mut buffer)))?;
                (read, InHand::Copied { buffer, start: 0, end: read })
            }
        };
        self.in_hand = (read > 0).then_some(in_hand);
        Poll::Ready(Ok(read))
    }

    /// A pipe, if this is bulk and there is one to be had.
    fn pipe(&mut self) -> Option<Pipe> {
        if self.large_reads < BULK {
            return None;
        }
        let pipe = Pipe::take();
        if pipe.is_none() {
            // Time enough to ask again when there was as much once more.
            self.large_reads = 0;
        }
        pipe
    }

    /// Writes what is in hand, and gives its buffer or pipe back.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { sink, .. } = *self;
        while let Some(in_hand) = &mut self.in_hand {
            ready!(sink.poll_write_ready(cx))?;
            let written = match in_hand {
                InHand::Copied { buffer, start, end } => sink.try_write(&buffer[*start..*end]),
                InHand::Moved(pipe) => sink.try_io(Interest::WRITABLE, || pipe.empty(sink)),
            };
            match written {
                Ok(written) => {
                    self.meter.count(written as u64);
                    if in_hand.is_empty_after(written) {
                        self.in_hand = None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl InHand {
    /// Whether nothing is left, now that so many bytes more are written.
    fn is_empty_after(&mut self, written: usize) -> bool {
        match self {
            Self::Copied { start, end, .. } => {
                *start += written;
                start == end
            }
            Self::Moved(pipe) => pipe.is_empty(),
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Downstream => Self::Upstream,
            Self::Upstream => Self::Downstream,
        }
    }
}

impl Meter<'_> {
    fn count(&mut self, bytes: u64) {
        *self.bytes += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Does `read` when there is something to read.
///
/// A read of less than it asked for tells the runtime that the socket is empty, which saves the read
/// that would only say so again.
fn poll_read(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    asked: usize,
    mut read: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        let mut some = None;
        let result = stream.try_io(Interest::READABLE, || {
            let bytes = read()?;
            some = Some(bytes);
            if 0 < bytes && bytes < asked { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (some, result) {
            (Some(bytes), _) => return Poll::Ready(Ok(bytes)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                return Poll::Ready(Err(error));
            }
            (None, _) => {}
        }
    }
}
