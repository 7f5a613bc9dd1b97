//! Carrying bytes both ways, until both sides have said all they had to say.
//!
//! Each direction reads into a buffer of the worker's and writes at once; only if the other side
//! does not take everything does it keep the buffer, and it reads no more until it is rid of it: that
//! is the back-pressure. The end of one direction is passed on as a half-close while the other goes
//! on. A side that is lost ends both. What a backend said before that, the client gets first; the
//! bytes of a lost client are dropped where the backend does not take them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::buffer::Buffer;

/// Bytes a direction may carry before other connections of the worker get their turn.
const BUDGET: u64 = 256 * 1024;

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

/// Carries bytes until both sides have ended.
///
/// # Errors
/// The side that was lost before.
pub(super) async fn relay(
    downstream: &mut TcpStream,
    upstream: &mut TcpStream,
    up: Meter<'_>,
    down: Meter<'_>,
) -> Result<(), Side> {
    let (from_client, to_client) = downstream.split();
    let (from_backend, to_backend) = upstream.split();
    let mut up = Direction::new((from_client, Side::Downstream), (to_backend, Side::Upstream), up);
    let mut down =
        Direction::new((from_backend, Side::Upstream), (to_client, Side::Downstream), down);

    let (result, first) = up.run(|cx| down.poll(cx).map(|result| (result, Side::Upstream))).await;
    let (ended, other) = match first {
        Side::Downstream => (&mut up, &mut down),
        Side::Upstream => (&mut down, &mut up),
    };
    match result {
        Ok(()) => {
            ended.close().await?;
            tokio::select! {
                biased;
                result = other.rest() => result?,
                // Nobody reads there any more, so nobody else would notice.
                _ = ended.source.ready(Interest::ERROR) => return Err(ended.from),
            }
            other.close().await
        }
        Err(lost) => {
            // What it said may still be on its way; but its end would be a lie.
            if lost == ended.outlet.to {
                let _ = other.rest().await;
            }
            Err(lost)
        }
    }
}

/// What one side says to the other.
struct Direction<'a> {
    source: ReadHalf<'a>,
    from: Side,
    outlet: Outlet<'a>,
}

/// Where it goes.
struct Outlet<'a> {
    sink: WriteHalf<'a>,
    to: Side,
    in_hand: Option<InHand>,
    meter: Meter<'a>,
}

/// `buffer[start..end]` is read, but not written.
struct InHand {
    buffer: Buffer,
    start: usize,
    end: usize,
}

/// How a direction ended, and whose it is.
type Ended = (Result<(), Side>, Side);

impl<'a> Direction<'a> {
    fn new(
        (source, from): (ReadHalf<'a>, Side),
        (sink, to): (WriteHalf<'a>, Side),
        meter: Meter<'a>,
    ) -> Self {
        Self { source, from, outlet: Outlet { sink, to, in_hand: None, meter } }
    }

    /// Carries what is left until the source ends.
    async fn rest(&mut self) -> Result<(), Side> {
        self.run(|_| Poll::Pending).await.0
    }

    /// Carries until the source ends, or the `other` direction does.
    ///
    /// From a client whose bytes are stalled nobody reads, so nobody would notice that it is lost:
    /// then, and only then, it is watched.
    async fn run(&mut self, mut other: impl FnMut(&mut Context<'_>) -> Poll<Ended>) -> Ended {
        loop {
            let ended = poll_fn(|cx| {
                if let Poll::Ready(result) = self.poll(cx) {
                    return Poll::Ready(Some((result, self.from)));
                }
                match other(cx) {
                    Poll::Ready(ended) => Poll::Ready(Some(ended)),
                    Poll::Pending if self.is_stalled_client() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            if let Some(ended) = ended.await {
                return ended;
            }
            let Self { source, from, outlet } = self;
            // Boxed, so that those that are not stalled have no room for it either.
            let lost = Box::pin(source.ready(Interest::ERROR));
            let ended = tokio::select! {
                biased;
                ended = poll_fn(|cx| match outlet.poll_flush(cx) {
                    Poll::Ready(Ok(())) => Poll::Ready(None),
                    Poll::Ready(Err(lost)) => Poll::Ready(Some((Err(lost), *from))),
                    Poll::Pending => other(cx).map(Some),
                }) => ended,
                _ = lost => Some((Err(*from), *from)),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn is_stalled_client(&self) -> bool {
        self.from == Side::Downstream && self.outlet.in_hand.is_some()
    }

    /// Passes the end on.
    async fn close(&mut self) -> Result<(), Side> {
        let Outlet { sink, to, .. } = &mut self.outlet;
        poll_fn(|cx| Pin::new(&mut *sink).poll_shutdown(cx)).await.map_err(|_| *to)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        let enough = *self.outlet.meter.bytes + BUDGET;
        loop {
            ready!(self.outlet.poll_flush(cx))?;
            if *self.outlet.meter.bytes >= enough {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut buffer = Buffer::take();
            let read = ready!(read(cx, &mut self.source, &mut buffer));
            match read.map_err(|_| self.from)? {
                0 => return Poll::Ready(Ok(())),
                end => self.outlet.in_hand = Some(InHand { buffer, start: 0, end }),
            }
        }
    }
}

impl Outlet<'_> {
    /// Writes what is in hand, and gives its buffer back.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        if let Some(InHand { buffer, start, end }) = &mut self.in_hand {
            while start < end {
                let written = Pin::new(&mut self.sink).poll_write(cx, &buffer[*start..*end]);
                let written = ready!(written).map_err(|_| self.to)?;
                *start += written;
                self.meter.count(written as u64);
            }
            self.in_hand = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl Meter<'_> {
    fn count(&mut self, bytes: u64) {
        *self.bytes += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Reads what there is; 0 at the end of the source.
///
/// A short read tells the runtime that the socket is empty, which saves the read that would only
/// say so again.
fn read(
    cx: &mut Context<'_>,
    source: &mut ReadHalf<'_>,
    buffer: &mut Buffer,
) -> Poll<io::Result<usize>> {
    let mut read = ReadBuf::new(buffer);
    ready!(Pin::new(source).poll_read(cx, &mut read))?;
    Poll::Ready(Ok(read.filled().len()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    /// Such as a server that refuses a request before it has read it: what shows the loss first is
    /// that the request cannot be written, while the answer has not been read yet.
    #[tokio::test]
    async fn what_was_said_before_a_reset_arrives_but_no_end() {
        let (mut client, mut downstream) = pair().await;
        let (mut upstream, mut backend) = pair().await;
        client.write_all(b"request").await.unwrap();
        downstream.readable().await.unwrap();
        backend.write_all(b"refused").await.unwrap();
        backend.set_zero_linger().unwrap();
        drop(backend);
        upstream.ready(Interest::ERROR).await.unwrap();

        let (mut bytes_up, mut bytes_down, total) = (0, 0, AtomicU64::new(0));
        let up = Meter { bytes: &mut bytes_up, total: &total };
        let down = Meter { bytes: &mut bytes_down, total: &total };
        let result = relay(&mut downstream, &mut upstream, up, down).await;
        assert_eq!(result, Err(Side::Upstream));
        assert_eq!((bytes_up, bytes_down), (0, 7));

        let mut answer = [0; 7];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"refused");
        let more = client.try_read(&mut answer).map_err(|error| error.kind());
        assert_eq!(more, Err(io::ErrorKind::WouldBlock));
    }
}
