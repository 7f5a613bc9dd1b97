//! Carrying bytes both ways, until both sides have said all they had to say.
//!
//! Each direction reads into a buffer of the worker's and writes at once; only if the other side
//! does not take everything does it keep the buffer, and it reads no more until it is rid of it: that
//! is the back-pressure. The end of one direction is passed on as a half-close while the other goes
//! on. A side that is lost ends both, once the other side has got what it said before.

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
const BUDGET: usize = 256 * 1024;

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

    let (result, first) = poll_fn(|cx| match up.poll(cx) {
        Poll::Ready(result) => Poll::Ready((result, Side::Downstream)),
        Poll::Pending => down.poll(cx).map(|result| (result, Side::Upstream)),
    })
    .await;
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
            if lost == ended.to {
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
    sink: WriteHalf<'a>,
    to: Side,
    state: State,
    meter: Meter<'a>,
}

enum State {
    /// Nothing in hand.
    Reading,
    /// `buffer[start..end]` is read, but not written.
    Writing { buffer: Buffer, start: usize, end: usize },
}

impl<'a> Direction<'a> {
    fn new(
        (source, from): (ReadHalf<'a>, Side),
        (sink, to): (WriteHalf<'a>, Side),
        meter: Meter<'a>,
    ) -> Self {
        Self { source, from, sink, to, state: State::Reading, meter }
    }

    /// Carries what is left until the source ends.
    async fn rest(&mut self) -> Result<(), Side> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Passes the end on.
    async fn close(&mut self) -> Result<(), Side> {
        poll_fn(|cx| Pin::new(&mut self.sink).poll_shutdown(cx)).await.map_err(|_| self.to)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        let mut carried = 0;
        let result = self.carry(cx, &mut carried);
        if carried > 0 {
            *self.meter.bytes += carried as u64;
            self.meter.total.fetch_add(carried as u64, Ordering::Relaxed);
        }
        result
    }

    fn carry(&mut self, cx: &mut Context<'_>, carried: &mut usize) -> Poll<Result<(), Side>> {
        loop {
            match &mut self.state {
                State::Reading => {
                    if *carried >= BUDGET {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let mut buffer = Buffer::take();
                    let read = ready!(read(cx, &mut self.source, &mut buffer));
                    match read.map_err(|_| self.from)? {
                        0 => return Poll::Ready(Ok(())),
                        end => self.state = State::Writing { buffer, start: 0, end },
                    }
                }
                State::Writing { buffer, start, end } => {
                    while start < end {
                        let written =
                            Pin::new(&mut self.sink).poll_write(cx, &buffer[*start..*end]);
                        let written = ready!(written).map_err(|_| self.to)?;
                        *start += written;
                        *carried += written;
                    }
                    self.state = State::Reading;
                }
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
