//! Carrying bytes both ways, until both sides have said all they had to say.
//!
//! One future serves both directions. Each reads into a buffer of the worker's and writes at once;
//! only if the other side does not take everything does the direction keep the buffer, and it reads
//! no more until it is rid of it: that is the back-pressure. The end of one direction is passed on as
//! a half-close while the other goes on. An error on either side ends both.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::buffer::Buffer;

/// Bytes a direction may carry before other connections of the worker get their turn.
const BUDGET: usize = 256 * 1024;

/// A relay between two connections.
pub(super) struct Relay<'a> {
    downstream: &'a mut TcpStream,
    upstream: &'a mut TcpStream,
    up: Direction<'a>,
    down: Direction<'a>,
}

/// The side on which a relay broke off.
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

struct Direction<'a> {
    state: State,
    meter: Meter<'a>,
}

enum State {
    /// Nothing in hand.
    Reading,
    /// `buffer[start..end]` is read, but not written.
    Writing {
        buffer: Buffer,
        start: usize,
        end: usize,
    },
    /// The source has ended; the sink is still to be told.
    Closing,
    Closed,
}

/// Which end of a direction an error came from.
enum End {
    Source,
    Sink,
}

impl<'a> Relay<'a> {
    pub(super) fn new(
        downstream: &'a mut TcpStream,
        upstream: &'a mut TcpStream,
        up: Meter<'a>,
        down: Meter<'a>,
    ) -> Self {
        let direction = |meter| Direction { state: State::Reading, meter };
        Self { downstream, upstream, up: direction(up), down: direction(down) }
    }
}

impl Future for Relay<'_> {
    /// The side that broke off, or nothing where both have ended.
    type Output = Result<(), Side>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let up = this.up.poll(cx, this.downstream, this.upstream).map_err(|end| match end {
            End::Source => Side::Downstream,
            End::Sink => Side::Upstream,
        })?;
        let down = this.down.poll(cx, this.upstream, this.downstream).map_err(|end| match end {
            End::Source => Side::Upstream,
            End::Sink => Side::Downstream,
        })?;
        if up.is_ready() && down.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl Direction<'_> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut TcpStream,
        sink: &mut TcpStream,
    ) -> Poll<Result<(), End>> {
        let mut carried = 0;
        let result = self.carry(cx, source, sink, &mut carried);
        if carried > 0 {
            *self.meter.bytes += carried as u64;
            self.meter.total.fetch_add(carried as u64, Ordering::Relaxed);
        }
        result
    }

    fn carry(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut TcpStream,
        sink: &mut TcpStream,
        carried: &mut usize,
    ) -> Poll<Result<(), End>> {
        loop {
            match &mut self.state {
                State::Reading => {
                    if *carried >= BUDGET {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let mut buffer = Buffer::take();
                    let end = ready!(read(cx, source, &mut buffer)).map_err(|_| End::Source)?;
                    self.state = match end {
                        0 => State::Closing,
                        _ => State::Writing { buffer, start: 0, end },
                    };
                }
                State::Writing { buffer, start, end } => {
                    while start < end {
                        let written = Pin::new(&mut *sink).poll_write(cx, &buffer[*start..*end]);
                        let written = ready!(written).map_err(|_| End::Sink)?;
                        *start += written;
                        *carried += written;
                    }
                    self.state = State::Reading;
                }
                State::Closing => {
                    ready!(Pin::new(&mut *sink).poll_shutdown(cx)).map_err(|_| End::Sink)?;
                    self.state = State::Closed;
                }
                State::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Reads what there is; 0 at the end of the source.
///
/// A short read tells the runtime that the socket is empty, which saves the read that would only
/// say so again.
fn read(
    cx: &mut Context<'_>,
    source: &mut TcpStream,
    buffer: &mut Buffer,
) -> Poll<io::Result<usize>> {
    let mut read = ReadBuf::new(buffer);
    ready!(Pin::new(source).poll_read(cx, &mut read))?;
    Poll::Ready(Ok(read.filled().len()))
}
