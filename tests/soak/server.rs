//! Backends: each connection finds the script of its client and plays the other part.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::peer::{ScriptedPeer, is_loss, unexpected, within};
use super::setup::{OPENING, SharedState, number, opening};
use crate::support::plans::ANY;

pub struct Server {
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

/// Who speaks first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    Client,
    Backend,
}

impl Server {
    pub async fn start(state: Arc<SharedState>, first: First) -> Self {
        let listener = TcpListener::bind(ANY).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = state.clone();
                connections.spawn(async move {
                    if let Err(problem) = serve(stream, address, first, &state).await {
                        state.report(format!("a backend, of nobody it knows: {problem}"));
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, _task: task }
    }
}

/// # Errors
/// What is wrong with a connection whose client is not known; what else is, the client is told.
async fn serve(
    mut stream: TcpStream,
    address: SocketAddr,
    first: First,
    state: &SharedState,
) -> Result<(), String> {
    let number = match first {
        First::Client => heard(&mut stream).await?,
        First::Backend => greeted(&mut stream, state).await?,
    };
    let meeting = number.and_then(|number| state.meetings().get(&number).cloned());
    // A client that has left, or was cut off, before anybody met it.
    let Some(meeting) = meeting else { return Ok(()) };
    let Some(report) = meeting.take_report() else {
        return match meeting.met.borrow().then_some(meeting.script.number) {
            Some(number) => Err(format!("client {number} is here twice")),
            None => Ok(()),
        };
    };
    meeting.met.send_replace(true);
    let peer = ScriptedPeer {
        stream,
        part: &meeting.script.backend,
        hears: meeting.script.client.payload,
        heard_here: &meeting.backend_heard,
        heard_there: meeting.client_heard.subscribe(),
        met: None,
    };
    let account = peer.play().await.map(|account| (address, account));
    // A client that has failed does not wait any more.
    let _ = report.send(account);
    Ok(())
}

/// Whom the client says to be; none where it leaves before that.
async fn heard(stream: &mut TcpStream) -> Result<Option<u64>, String> {
    let mut opening = [0; OPENING];
    let mut heard = 0;
    while heard < OPENING {
        match within("no opening comes", stream.read(&mut opening[heard..])).await? {
            Ok(0) if heard == 0 => return Ok(None),
            Ok(0) => return Err(format!("an end after {heard} bytes of the opening")),
            Ok(read) => heard += read,
            Err(error) if is_loss(&error) => return Ok(None),
            Err(error) => return Err(unexpected(error)),
        }
    }
    number(opening).map(Some)
}

/// Speaks first, and is told by the client whom it has reached.
async fn greeted(stream: &mut TcpStream, state: &SharedState) -> Result<Option<u64>, String> {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
    let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let (sender, told) = oneshot::channel();
    state.greeters().insert(connection, sender);
    stream.write_all(&opening(connection)).await.map_err(unexpected)?;
    let number = within("a greeting reaches nobody", told).await?;
    Ok(number.ok())
}
