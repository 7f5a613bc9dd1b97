//! Backends of several kinds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::plans::ANY;
use super::stream::{Stream, whole};
use super::within;

/// A backend whose connections the test accepts and uses.
pub struct Backend {
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Backend {
    pub async fn listen() -> Self {
        let listener = TcpListener::bind(ANY).await.unwrap();
        Self { address: listener.local_addr().unwrap(), listener }
    }

    pub async fn accept(&self) -> TcpStream {
        within("accepting from the proxy", self.listener.accept()).await.unwrap().0
    }
}

/// A backend that serves each connection in the same way, and counts them.
pub struct Peer {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Peer {
    /// Starts a peer that sends all bytes back.
    pub async fn echo() -> Self {
        Self::serve(|mut stream| async move {
            let (mut from, mut to) = stream.split();
            if copy(&mut from, &mut to).await.is_ok() {
                let _ = to.shutdown().await;
            }
        })
        .await
    }

    /// Starts a peer that sends its name, and then sends all bytes back.
    pub async fn named(name: u8) -> Self {
        Self::serve(move |mut stream| async move {
            if stream.write_u8(name).await.is_ok() {
                let (mut from, mut to) = stream.split();
                let _ = copy(&mut from, &mut to).await;
            }
        })
        .await
    }

    pub async fn reset() -> Self {
        Self::serve(|stream| async move { stream.reset() }).await
    }

    /// Starts a peer that sends this number of bytes, and then closes.
    pub async fn source(count: usize) -> Self {
        Self::serve(move |mut stream| async move {
            let _ = whole::send(&mut stream, count).await;
        })
        .await
    }

    /// Starts a peer that reads until EOF, and then sends the number of bytes.
    pub async fn sink() -> Self {
        Self::serve(|mut stream| async move {
            if let Ok(count) = whole::receive(&mut stream).await {
                let _ = stream.write_u64(count as u64).await;
            }
        })
        .await
    }

    /// Returns the number of accepted connections.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Acquire)
    }

    async fn serve<F>(connection: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(ANY).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::<AtomicUsize>::default();
        let mut task = JoinSet::new();
        let count = accepted.clone();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        count.fetch_add(1, Ordering::Release);
                        connections.spawn(connection(stream));
                    }
                    // A test may have used up the descriptors.
                    Err(_) => sleep(Duration::from_millis(1)).await,
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, accepted, _task: task }
    }
}

/// A port that is bound, but at which no socket listens. The kernel assigns it to no other socket
/// until this is dropped.
pub struct Reserved {
    pub address: SocketAddr,
    _socket: Socket,
}

/// Returns a bound socket with `SO_REUSEADDR`. Another socket can bind the same port and listen at
/// it if it has this option, as those of the proxy have.
fn bound(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

impl Reserved {
    pub fn new() -> Self {
        Self::on(ANY)
    }

    pub fn on(address: SocketAddr) -> Self {
        let socket = bound(address);
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self { address, _socket: socket }
    }

    /// Returns a socket that listens at the port until it is dropped.
    pub fn take(&self) -> Socket {
        let socket = bound(self.address);
        socket.listen(1).unwrap();
        socket
    }
}

/// An endpoint that does not answer: its backlog is full, and no connection is accepted.
pub struct Silent {
    pub address: SocketAddr,
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl Silent {
    pub async fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&ANY.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        // A backlog of length 0 holds one connection. When it is full, connecting takes too long.
        let mut waiting =
            vec![within("filling the queue", TcpStream::connect(address)).await.unwrap()];
        let limit = Duration::from_millis(50);
        while let Ok(stream) = timeout(limit, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        Self { address, _listener: listener, _waiting: waiting }
    }
}
