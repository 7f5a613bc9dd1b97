//! A client: plays its part of the script, then collects the observations of its backend and of the
//! proxy.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

use super::log::{self, Ending};
use super::peer::{Account, Close, ScriptedPeer, is_loss, unexpected, within};
use super::script::{Scene, Script};
use super::setup::{Backend, Meeting, OPENING, SharedState, number, opening};
use super::verify::{Observations, verify};

/// How a client's connection went.
pub enum Went {
    /// As it should.
    Well(Script, Observations),
    /// Its listener was not there.
    Away,
    /// It was cut off before anything came through, by a listener that was just going away. Whether
    /// the proxy has ever seen it will be known at the end.
    Unknown(Script, Account, oneshot::Receiver<Ending>),
}

/// How many clients are where.
#[derive(Default)]
pub struct Presence {
    /// Counted as soon as it is sure that they will.
    pub connecting: AtomicUsize,
    pub open: AtomicUsize,
    pub peak: AtomicUsize,
}

/// What a client finds when it has played its part.
enum Found {
    All(Observations),
    Away,
    Unknown(Account),
}

/// # Errors
/// What went otherwise than it should.
pub async fn run(
    script: Script,
    address: SocketAddr,
    state: &SharedState,
    presence: &Presence,
) -> Result<Went, String> {
    let number = script.number;
    let mut ending = log::expect(number);
    let (meeting, backend) = Meeting::new(script);
    state.meetings().insert(number, meeting.clone());
    let found = attend(&meeting, address, state, presence, &mut ending, backend).await;
    state.meetings().remove(&number);

    let script = meeting.script.clone();
    let (problem, observed) = match found {
        Ok(Found::Away) => {
            log::forget(number);
            return Ok(Went::Away);
        }
        Ok(Found::Unknown(account)) => return Ok(Went::Unknown(script, account, ending)),
        Ok(Found::All(observed)) => match verify(&script, &observed) {
            Ok(()) => return Ok(Went::Well(script, observed)),
            Err(problem) => (problem, format!("{observed:?}")),
        },
        Err(problem) => (problem, String::new()),
    };
    let (name, proxy) = (script.scene.name(), script.proxy);
    Err(format!("client {number} ({name}, proxy {proxy}): {problem}\n{observed}\n{script:?}"))
}

async fn attend(
    meeting: &Meeting,
    address: SocketAddr,
    state: &SharedState,
    presence: &Presence,
    ending: &mut oneshot::Receiver<Ending>,
    backend: Backend,
) -> Result<Found, String> {
    let script = &meeting.script;
    let client = play(meeting, address, state, presence).await;
    let passing = script.scene == Scene::Passing;
    let client = match client {
        // Where the backend failed too, it knows better.
        Err(problem) => match meeting.take_report() {
            None => {
                let backend = within("the backend says nothing", backend).await;
                return Err(format!("{problem}; the backend: {backend:?}"));
            }
            Some(_) => return Err(format!("{problem}; no backend has met it")),
        },
        Ok(Account { close: Close::Refused, .. }) if passing => return Ok(Found::Away),
        Ok(client) => client,
    };
    let lost_early = client.close == Close::Lost && client.heard == 0;
    // A backend that hears of the client after this need not stay.
    if passing && lost_early && meeting.take_report().is_some() {
        return Ok(Found::Unknown(client));
    }
    let proxy = within("the proxy does not say how it ended", ending).await;
    let proxy = proxy.map_err(|problem| format!("{problem}; the client: {client:?}"))?;
    let proxy = proxy.map_err(|_| "two clients with one number")?;
    let backend = match meeting.take_report() {
        Some(_) => None,
        None => {
            let backend = within("the backend says nothing", backend).await?;
            let backend = backend.map_err(|_| "the backend is gone")?;
            Some(
                backend
                    .map_err(|problem| format!("the backend: {problem}; {client:?}, {proxy:?}"))?,
            )
        }
    };
    Ok(Found::All(Observations { client, backend, proxy }))
}

async fn play(
    meeting: &Meeting,
    address: SocketAddr,
    state: &SharedState,
    presence: &Presence,
) -> Result<Account, String> {
    let script = &meeting.script;
    let lost = |close| Ok(Account { sent: 0, heard: 0, close });
    let stream = {
        let _connecting = Counted(&presence.connecting);
        let socket = TcpSocket::new_v4().map_err(unexpected)?;
        socket.bind((log::address(script.number), 0).into()).map_err(unexpected)?;
        within("it cannot connect", socket.connect(address)).await?
    };
    let mut stream = match stream {
        Ok(stream) => stream,
        // So fast that it has not even noticed that it was connected.
        Err(error) if is_loss(&error) => return lost(Close::Lost),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return lost(Close::Refused);
        }
        Err(error) => return Err(unexpected(error)),
    };
    let _open = Counted::new(&presence.open);
    presence.peak.fetch_max(presence.open.load(Ordering::Relaxed), Ordering::Relaxed);
    let opened = match script.scene {
        Scene::Greet => greet(&mut stream, script.number, state).await?,
        scene if scene.is_conversation() => {
            let opening = opening(script.number);
            within("it cannot speak", stream.write_all(&opening)).await?
        }
        _ => Ok(()),
    };
    match opened {
        Ok(()) => {}
        Err(error) if is_loss(&error) => return lost(Close::Lost),
        Err(error) => return Err(unexpected(error)),
    }
    let peer = ScriptedPeer {
        stream,
        part: &script.client,
        hears: script.backend.payload,
        heard_here: &meeting.client_heard,
        heard_there: meeting.backend_heard.subscribe(),
        met: script.scene.is_conversation().then(|| meeting.met.subscribe()),
    };
    peer.play().await
}

/// Hears which connection it is, and tells the backend behind the proxy's back who it is.
async fn greet(
    stream: &mut TcpStream,
    client: u64,
    state: &SharedState,
) -> Result<std::io::Result<()>, String> {
    let mut greeting = [0; OPENING];
    if let Err(error) = within("no greeting comes", stream.read_exact(&mut greeting)).await? {
        return Ok(Err(error));
    }
    let greeter = state.greeters().remove(&number(greeting)?);
    let greeter = greeter.ok_or("a greeting that nobody has sent, or that was heard before")?;
    greeter.send(client).map_err(|_| "the backend is gone")?;
    Ok(Ok(()))
}

/// Counts as one for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
