//! One end of a connection, with assertions on what it sends and receives and how it ends.

use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::within;

pub trait Stream {
    async fn say(&mut self, what: &str);
    async fn hears(&mut self, what: &str);
    async fn hears_end(&mut self);
    /// That nothing more has come so far; anything sent earlier must have arrived.
    fn hears_nothing(&self);
    async fn is_reset(&mut self);
    /// Waits until the other end resets, or is lost, even after it has said its last.
    async fn lost(&self);
    async fn end(&mut self);
    fn reset(self);
    /// Says something, which comes back.
    async fn echoes(&mut self);
}

impl Stream for TcpStream {
    async fn say(&mut self, what: &str) {
        within("writing", self.write_all(what.as_bytes())).await.unwrap();
    }

    async fn hears(&mut self, what: &str) {
        let mut heard = vec![0; what.len()];
        within(what, self.read_exact(&mut heard)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), what);
    }

    async fn hears_end(&mut self) {
        let mut heard = [0; 1];
        assert_eq!(within("the end", self.read(&mut heard)).await.unwrap(), 0, "heard more");
    }

    fn hears_nothing(&self) {
        let heard = SockRef::from(self).peek(&mut [MaybeUninit::uninit()]);
        assert_eq!(heard.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    }

    async fn is_reset(&mut self) {
        let heard = within("the reset", self.read(&mut [0; 1])).await;
        assert_eq!(heard.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }

    async fn lost(&self) {
        within("the loss", self.ready(Interest::ERROR)).await.unwrap();
    }

    async fn end(&mut self) {
        self.shutdown().await.unwrap();
    }

    fn reset(self) {
        self.set_zero_linger().unwrap();
    }

    async fn echoes(&mut self) {
        self.say("anybody there?").await;
        self.hears("anybody there?").await;
    }
}

/// Whether a client was rejected; it finds out with its first read, or even while it connects.
pub fn is_rejected<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::ConnectionReset)
}

/// Waits until nobody listens there any more.
pub async fn refused(address: SocketAddr) {
    within("the refusal", async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => stream.reset(),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                // The socket was closed before the connection was accepted.
                Err(_) => {}
            }
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Many bytes that tell whether any were lost, doubled or moved.
pub mod whole {
    use std::sync::LazyLock;

    use super::{AsyncReadExt, AsyncWriteExt, TcpStream, io};

    /// Its length is a prime, so that bytes moved by the size of any buffer do not fit.
    static BLOCK: LazyLock<Box<[u8]>> = LazyLock::new(|| {
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        std::iter::repeat_with(next).take(1_000_003).collect()
    });

    /// Sends so many bytes.
    pub async fn send(to: &mut (impl AsyncWriteExt + Unpin), count: usize) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let chunk = &BLOCK[..left.min(BLOCK.len())];
            to.write_all(chunk).await?;
            left -= chunk.len();
        }
        Ok(())
    }

    /// Receives to the end; how many bytes there were.
    pub async fn receive(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<usize> {
        let mut buffer = vec![0; 256 * 1024];
        let mut count = 0;
        loop {
            let limit = buffer.len().min(BLOCK.len() - count % BLOCK.len());
            let read = from.read(&mut buffer[..limit]).await?;
            if read == 0 {
                return Ok(count);
            }
            let start = count % BLOCK.len();
            assert!(buffer[..read] == BLOCK[start..start + read], "wrong bytes after {count}");
            count += read;
        }
    }

    /// Sends and receives at once, on a connection of which the other end does the same.
    pub async fn exchange(stream: &mut TcpStream, count: usize) -> usize {
        let (mut from, mut to) = stream.split();
        let send = async {
            send(&mut to, count).await.unwrap();
            to.shutdown().await.unwrap();
        };
        tokio::join!(send, async { receive(&mut from).await.unwrap() }).1
    }
}
