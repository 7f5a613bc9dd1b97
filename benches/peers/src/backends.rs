//! The backends, in a process of their own. They use as little CPU as possible, since they share
//! the machine with the proxy that is measured.

use std::io;
use std::sync::LazyLock;
use std::thread;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

use crate::ports::loopback;
use crate::socket;

/// The role in which this program is the backends.
pub(crate) const BACKENDS: &str = "backends";

/// Bytes of a request to [`Backend::TwoWrites`], and of each of the two writes of its answer.
pub(crate) const TWO_WRITES_REQUEST: usize = 64;
pub(crate) const TWO_WRITES_PART: usize = 64;

/// Payload of bulk: small enough to stay in the processor's cache.
static ZEROS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; 256 * 1024]);

/// A backend, by its behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Sends back what it is sent.
    Echo,
    /// Sends without end.
    Source,
    /// Takes everything and drops it.
    Sink,
    /// Answers each request with two small writes, head and body, without TCP_NODELAY, as Python's
    /// `http.server` does. Nagle's algorithm holds the second write back until the first is
    /// acknowledged, so a delayed ACK of the proxy delays the answer by 40 ms.
    TwoWrites,
}

impl Backend {
    pub(crate) const ALL: [Self; 4] = [Self::Echo, Self::Source, Self::Sink, Self::TwoWrites];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Source => "source",
            Self::Sink => "sink",
            Self::TwoWrites => "two-writes",
        }
    }

    fn run(self, port: u16) -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            self.accept(TcpListener::from_std(socket::listen(loopback(port))?)?).await?;
            Ok(())
        })
    }

    /// Serves every connection of a listener.
    async fn accept(self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            // A client that disconnects is not an error of the backend.
            tokio::spawn(self.serve(stream));
        }
    }

    /// Serves a connection until the other side closes it.
    async fn serve(self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(self != Self::TwoWrites)?;
        match self {
            Self::Echo => {
                let mut buffer = [0; 4096];
                loop {
                    match stream.read(&mut buffer).await? {
                        0 => return Ok(()),
                        length => stream.write_all(&buffer[..length]).await?,
                    }
                }
            }
            Self::Source => send_forever(&mut stream, |_| ()).await,
            Self::Sink => socket::discard(&stream, |_| ()).await,
            Self::TwoWrites => {
                let mut request = [0; TWO_WRITES_REQUEST];
                loop {
                    stream.read_exact(&mut request).await?;
                    stream.write_all(&[0; TWO_WRITES_PART]).await?;
                    stream.write_all(&[0; TWO_WRITES_PART]).await?;
                }
            }
        }
    }
}

/// Runs the backends on these ports, in the order of [`Backend::ALL`]. Each has a thread of its
/// own, so that a busy backend does not delay the others.
pub(crate) fn run(ports: &[u16]) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let backends = Backend::ALL.into_iter().zip(ports);
        #[expect(clippy::needless_collect, reason = "all start before the first is joined")]
        let threads: Vec<_> =
            backends.map(|(backend, port)| scope.spawn(move || backend.run(*port))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a backend panicked"))
    })
}

/// Writes until an error occurs, and reports the bytes of each write.
pub(crate) async fn send_forever(stream: &mut TcpStream, sent: impl Fn(u64)) -> io::Result<()> {
    loop {
        sent(stream.write(&ZEROS).await? as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::net::sockopt::set_tcp_quickack;
    use tokio::net::TcpSocket;
    use tokio::time::Instant;

    use super::*;

    /// Less than the 40 ms of a delayed ACK, and more than a connection takes on a busy machine.
    const DELAYED: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn two_writes_are_late_if_first_ack_is_delayed() {
        let listener = TcpListener::bind(loopback(0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(Backend::TwoWrites.accept(listener));

        let (mut as_usual, mut with_delayed_ack) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            as_usual.push(first_answer(port, None).await);
            with_delayed_ack.push(first_answer(port, Some(false)).await);
        }
        // A busy machine delays some answers of any kind.
        assert!(as_usual.iter().any(|time| *time < DELAYED), "{as_usual:?}");
        let delayed = with_delayed_ack.iter().filter(|time| **time > DELAYED).count();
        assert!(delayed >= 3, "{with_delayed_ack:?}");
    }

    /// Returns the time from connect to the end of the first answer.
    async fn first_answer(port: u16, quick_ack: Option<bool>) -> Duration {
        let start = Instant::now();
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(quick_ack) = quick_ack {
            set_tcp_quickack(&socket, quick_ack).unwrap();
        }
        let mut stream = socket.connect(loopback(port).into()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&[0; TWO_WRITES_REQUEST]).await.unwrap();
        stream.read_exact(&mut [0; 2 * TWO_WRITES_PART]).await.unwrap();
        start.elapsed()
    }
}
