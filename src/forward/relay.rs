//! Carrying bytes both ways, until both sides have said all they had to say.
//!
//! The end of one direction is passed on as a half-close while the other goes on. A side that is
//! lost ends both. What a backend said before that is written to the client first, but a reset
//! overtakes what the system has not sent by then; the bytes of a lost client are dropped where the
//! backend does not take them.

use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::net::TcpStream;

use super::direction::{Direction, Meter, Side};

/// Carries bytes until both sides have ended. The last end is not passed on: closing does that.
///
/// # Errors
/// The side that was lost before.
pub(super) async fn relay(
    downstream: &TcpStream,
    upstream: &TcpStream,
    up: Meter<'_>,
    down: Meter<'_>,
) -> Result<(), Side> {
    let mut relay = Relay {
        up: Direction::new(Side::Downstream, downstream, upstream, up),
        down: Direction::new(Side::Upstream, upstream, downstream, down),
        lost: None,
    };
    poll_fn(|cx| relay.poll(cx)).await
}

struct Relay<'a> {
    up: Direction<'a>,
    down: Direction<'a>,
    /// A side that takes no more, while what it said before is still carried.
    lost: Option<Side>,
}

impl Relay<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Side>> {
        let Self { up, down, lost } = self;
        if let ready @ Poll::Ready(_) = poll_one(up, down, lost, cx) {
            return ready;
        }
        if let ready @ Poll::Ready(_) = poll_one(down, up, lost, cx) {
            return ready;
        }
        // Writing may have been what found the client lost, and then nothing else will.
        match lost {
            Some(Side::Downstream) if up.is_stalled() => Poll::Ready(Err(Side::Downstream)),
            _ => Poll::Pending,
        }
    }
}

/// Carries what one direction has; ready when both are done.
fn poll_one(
    direction: &mut Direction<'_>,
    other: &Direction<'_>,
    lost: &mut Option<Side>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Side>> {
    while let Poll::Ready(ended) = direction.poll(cx) {
        if other.is_done() {
            return Poll::Ready(lost.map_or(ended, Err));
        }
        match ended.and_then(|()| direction.pass_end_on()) {
            Ok(()) => {}
            // Its own words may still be on their way to the other side. Their end would be a lie.
            Err(side) if side != direction.from() => *lost = Some(side),
            Err(side) => return Poll::Ready(Err(lost.unwrap_or(side))),
        }
        direction.stop();
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::pin;
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

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
        let (mut client, downstream) = pair().await;
        let (upstream, mut backend) = pair().await;
        client.write_all(b"request").await.unwrap();
        downstream.readable().await.unwrap();
        backend.write_all(b"refused").await.unwrap();
        backend.set_zero_linger().unwrap();
        drop(backend);
        upstream.ready(Interest::ERROR).await.unwrap();

        let (mut bytes_up, mut bytes_down, total) = (0, 0, AtomicU64::new(0));
        let up = Meter { bytes: &mut bytes_up, total: &total };
        let down = Meter { bytes: &mut bytes_down, total: &total };
        let result = relay(&downstream, &upstream, up, down).await;
        assert_eq!(result, Err(Side::Upstream));
        assert_eq!((bytes_up, bytes_down), (0, 7));

        let mut answer = [0; 7];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"refused");
        let more = client.try_read(&mut answer).map_err(|error| error.kind());
        assert_eq!(more, Err(io::ErrorKind::WouldBlock));
    }

    /// A write to a lost client takes the error with it, so that waiting for an error would be in vain.
    #[tokio::test]
    async fn a_stalled_client_is_lost_when_writing_says_so() {
        let (client, downstream) = pair().await;
        let (upstream, backend) = pair().await;
        let (mut bytes_up, mut bytes_down, total) = (0, 0, AtomicU64::new(0));
        let up = Meter { bytes: &mut bytes_up, total: &total };
        let down = Meter { bytes: &mut bytes_down, total: &total };
        let mut relay = pin!(relay(&downstream, &upstream, up, down));

        // As much as the system takes, and nobody reads it.
        let block = [0; 64 * 1024];
        let mut refused = 0;
        while refused < 20 {
            while client.try_write(&block).is_ok() {
                refused = 0;
            }
            refused += 1;
            let step = timeout(Duration::from_millis(1), &mut relay);
            assert!(step.await.is_err(), "ended");
        }

        backend.try_write(b"x").unwrap();
        upstream.readable().await.unwrap();
        client.set_zero_linger().unwrap();
        drop(client);
        let ended = poll_fn(|cx| Poll::Ready(relay.as_mut().poll(cx))).await;
        assert_eq!(ended, Poll::Ready(Err(Side::Downstream)));
    }
}
