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
use super::ready::{Done, poll_read, poll_write};

/// A direction that has carried so many bytes lets other connections of the worker have their turn.
const BUDGET: usize = 256 * 1024;

/// A read of so many bytes is a large one. A full buffer would be the wrong sign: whoever keeps up
/// with a fast sender seldom sees one.
const LARGE: usize = 8 * 1024;

/// So many large reads in a row are bulk.
const BULK: u8 = 4;

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
    is_done: bool,
    /// Small reads on the worker, as of the last bulk.
    small_reads: u32,
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
            is_done: false,
            small_reads: 0,
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

    /// Whether the sink does not take what there is for it.
    pub(super) fn is_stalled(&self) -> bool {
        self.in_hand.is_some()
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
            if ended.is_ready() || self.from == Side::Upstream || !self.is_stalled() {
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
        let enough = *self.meter.bytes + BUDGET as u64;
        loop {
            ready!(self.poll_sink(cx)).map_err(|_| self.from.other())?;
            if *self.meter.bytes >= enough {
                // Others first, those included that the runtime has not heard of yet: woken at once,
                // this task and its like would keep it from listening.
                let _ = pin!(yield_now()).poll(cx);
                return Poll::Pending;
            }
            match ready!(self.poll_source(cx)).map_err(|_| self.from)? {
                0 => return Poll::Ready(Ok(())),
                LARGE.. => self.large_reads = BULK.min(self.large_reads + 1),
                _ => {
                    self.large_reads = 0;
                    SMALL_READS.set(SMALL_READS.get().wrapping_add(1));
                }
            }
        }
    }

    /// Takes what there is to read in hand, and says how many bytes; 0 is the end.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { source, .. } = *self;
        let mut pipe = self.take_pipe();
        let limit = self.limit();
        let (read, in_hand) = ready!(poll_read(source, cx, || {
            if let Some(mut pipe) = pipe.take() {
                let moved = pipe.fill(source, limit)?;
                if moved > 0 {
                    // There may be more: a pipe can be full of little.
                    return Ok(Done { value: (moved, InHand::Moved(pipe)), exhausts: false });
                }
                // That nothing can be moved does not mean that there is nothing, nor that it was
                // the end: urgent data is in the way as well. The socket itself knows.
            }
            let mut buffer = Buffer::acquire();
            let end = (&*SockRef::from(source)).read(&mut buffer)?;
            let exhausts = 0 < end && end < buffer.len();
            Ok(Done { value: (end, InHand::Copied { buffer, start: 0, end }), exhausts })
        }))?;
        self.in_hand = (read > 0).then_some(in_hand);
        Poll::Ready(Ok(read))
    }

    /// A pipe, if this is bulk and there is one to be had.
    fn take_pipe(&mut self) -> Option<Pipe> {
        if self.large_reads < BULK {
            return None;
        }
        let pipe = Pipe::acquire();
        if pipe.is_none() {
            // Time enough to ask again when there was as much once more.
            self.large_reads = 0;
        }
        pipe
    }

    /// How much bulk may be moved at once: to fill the pipe costs least; but while others on the
    /// worker have little to say, and wait to say it, a quarter of it is enough.
    fn limit(&mut self) -> usize {
        let before = mem::replace(&mut self.small_reads, SMALL_READS.get());
        if before == self.small_reads { CAPACITY } else { BUDGET }
    }

    /// Writes what is in hand, and gives its buffer or pipe back.
    fn poll_sink(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { sink, .. } = *self;
        while let Some(in_hand) = &mut self.in_hand {
            let written = ready!(poll_write(sink, cx, || in_hand.write_to(sink)))?;
            *self.meter.bytes += written as u64;
            self.meter.total.fetch_add(written as u64, Ordering::Relaxed);
            if in_hand.is_empty() {
                self.in_hand = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl InHand {
    /// Writes what `sink` takes, and says how many bytes.
    fn write_to(&mut self, sink: &TcpStream) -> io::Result<Done<usize>> {
        match self {
            Self::Copied { buffer, start, end } => {
                let written = sink.try_write(&buffer[*start..*end])?;
                *start += written;
                Ok(Done { value: written, exhausts: start < end })
            }
            // It may have stopped for a signal as well.
            Self::Moved(pipe) => Ok(Done { value: pipe.empty(sink)?, exhausts: false }),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Copied { start, end, .. } => start == end,
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
