//! The three backends, in a process of their own. They use as little CPU as possible, since they
//! share the machine with the proxy that is measured.

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

/// What is sent again and again: small enough to stay in the processor's cache.
static ZEROS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; 256 * 1024]);

/// Who is at the far end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Sends back what it is sent.
    Echo,
    /// Sends without end.
    Source,
    /// Takes everything and drops it.
    Sink,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Echo, Self::Source, Self::Sink];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Source => "source",
            Self::Sink => "sink",
        }
    }

    fn run(self, port: u16) -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(loopback(port)).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                // A client that goes away is no concern of the backend.
                tokio::spawn(self.serve(stream));
            }
        })
    }

    /// Until the other side is done.
    async fn serve(self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
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
        }
    }
}

/// Runs the backends on these ports, in the order of [`Backend::ALL`]. Each has a thread of its own,
/// so that the one that is busiest is not in the way of the others.
pub(crate) fn run(ports: &[u16]) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let backends = Backend::ALL.into_iter().zip(ports);
        #[expect(clippy::needless_collect, reason = "all are to run before one is waited for")]
        let threads: Vec<_> =
            backends.map(|(backend, port)| scope.spawn(move || backend.run(*port))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a backend panicked"))
    })
}

/// Writes until that fails, and tells of what was taken.
pub(crate) async fn send_forever(stream: &mut TcpStream, sent: impl Fn(u64)) -> io::Result<()> {
    loop {
        sent(stream.write(&ZEROS).await? as u64);
    }
}
