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
    async fn send(&mut self, text: &str);
    async fn receives(&mut self, text: &str);
    async fn receives_end(&mut self);
    /// Asserts that no unread byte has arrived.
    fn receives_nothing(&self);
    async fn is_reset(&mut self);
    /// Waits until the connection is lost, such as by a reset, also after EOF.
    async fn is_lost(&self);
    async fn end(&mut self);
    fn reset(self);
    /// Sends a text, and asserts that the peer sends it back.
    async fn echoes(&mut self);
}

impl Stream for TcpStream {
    async fn send(&mut self, text: &str) {
        within("writing", self.write_all(text.as_bytes())).await.unwrap();
    }

    async fn receives(&mut self, text: &str) {
        let mut received = vec![0; text.len()];
        within(text, self.read_exact(&mut received)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&received), text);
    }

    async fn receives_end(&mut self) {
        let mut byte = [0; 1];
        assert_eq!(within("the end", self.read(&mut byte)).await.unwrap(), 0, "bytes before EOF");
    }

    fn receives_nothing(&self) {
        let result = SockRef::from(self).peek(&mut [MaybeUninit::uninit()]);
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    }

    async fn is_reset(&mut self) {
        let result = within("the reset", self.read(&mut [0; 1])).await;
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }

    async fn is_lost(&self) {
        within("the loss", self.ready(Interest::ERROR)).await.unwrap();
    }

    async fn end(&mut self) {
        self.shutdown().await.unwrap();
    }

    fn reset(self) {
        self.set_zero_linger().unwrap();
    }

    async fn echoes(&mut self) {
        self.send("echo request").await;
        self.receives("echo request").await;
    }
}

/// Returns `true` if a client was rejected: its connect or its first read reports a reset.
pub fn is_rejected<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::ConnectionReset)
}

/// Waits until no socket listens at the address.
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

/// A pattern of bytes, which shows if any are lost, repeated or in another order.
pub mod whole {
    use std::sync::LazyLock;

    use super::{AsyncReadExt, AsyncWriteExt, TcpStream, io};

    /// The pattern. Its length is a prime, so bytes that are shifted by the size of a buffer
    /// differ.
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

    /// Sends the first `count` bytes of the repeated pattern.
    pub async fn send(to: &mut (impl AsyncWriteExt + Unpin), count: usize) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let chunk = &BLOCK[..left.min(BLOCK.len())];
            to.write_all(chunk).await?;
            left -= chunk.len();
        }
        Ok(())
    }

    /// Receives the repeated pattern until EOF, and returns the number of bytes.
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

    /// Sends `count` bytes and EOF, and receives at the same time. Returns the number of received
    /// bytes.
    pub async fn exchange(stream: &mut TcpStream, count: usize) -> usize {
        let (mut from, mut to) = stream.split();
        let send = async {
            send(&mut to, count).await.unwrap();
            to.shutdown().await.unwrap();
        };
        tokio::join!(send, async { receive(&mut from).await.unwrap() }).1
    }
}
