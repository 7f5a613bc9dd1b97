//! One end of a connection, client or backend: sends what its part of the script contains, and
//! verifies what it receives.

use std::cell::RefCell;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::pin::pin;
use std::time::Duration;

use fastrand::Rng;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tokio::time::{sleep, timeout};

use super::payload::Payload;
use super::script::{Exit, Part, When};

/// Timeout of a step. Only failing tests reach it.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

thread_local! {
    /// For all that is said and heard on a thread: bytes are verified as they come.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}

/// What `step` gives, which must not take for ever.
///
/// # Errors
/// That it did.
pub async fn within<T>(what: &str, step: impl Future<Output = T>) -> Result<T, String> {
    timeout(STEP_TIMEOUT, step)
        .await
        .map_err(|_| format!("after {} s: {what}", STEP_TIMEOUT.as_secs()))
}

/// What became of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub sent: u64,
    pub heard: u64,
    pub close: Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Both have said their end.
    Ended,
    /// It was cut off.
    Lost,
    /// It left without an end.
    Left,
    /// It could not even connect.
    Refused,
}

pub struct ScriptedPeer<'a> {
    pub stream: TcpStream,
    pub part: &'a Part,
    /// What the other end says.
    pub hears: Payload,
    /// How far this end has heard, and the other.
    pub heard_here: &'a watch::Sender<u64>,
    pub heard_there: watch::Receiver<u64>,
    /// Whether the other end is there; this one does not reset before. None where nobody comes.
    pub met: Option<watch::Receiver<bool>>,
}

enum Said {
    All,
    Lost,
}

enum Heard {
    End,
    Enough,
    Lost,
}

impl ScriptedPeer<'_> {
    /// Plays the part to its end, and closes the connection.
    ///
    /// # Errors
    /// What is wrong whatever the script says: other bytes than were sent, or none for too long.
    pub async fn play(self) -> Result<Account, String> {
        narrow(&self.stream, self.part);
        let (mut sent, mut heard) = (0, 0);
        let close = match self.part.exit {
            Exit::Close => Ok(Close::Left),
            Exit::Stay => self.stay(&mut sent, &mut heard).await,
            Exit::Reset { pause, .. } => self.reset(pause, &mut sent, &mut heard).await,
        }
        .map_err(|problem: String| format!("{problem}; sent {sent}, heard {heard}"))?;
        Ok(Account { sent, heard, close })
    }

    async fn stay(&self, sent: &mut u64, heard: &mut u64) -> Result<Close, String> {
        let theirs = watch::Sender::new(false);
        let mut speaking = pin!(self.speak(sent, theirs.subscribe()));
        let mut listening = pin!(self.listen(heard, &theirs));
        tokio::select! {
            biased;
            heard = &mut listening => match heard? {
                Heard::Lost => Ok(Close::Lost),
                Heard::End | Heard::Enough => tokio::select! {
                    said = speaking => Ok(match said? {
                        Said::All => Close::Ended,
                        Said::Lost => Close::Lost,
                    }),
                    _ = self.stream.ready(Interest::ERROR) => Ok(Close::Lost),
                },
            },
            said = &mut speaking => match (said?, listening.await?) {
                (Said::All, Heard::End | Heard::Enough) => Ok(Close::Ended),
                // What came before may be heard; but the system tells of a loss only once, and then
                // of an end.
                (Said::Lost, _) | (_, Heard::Lost) => Ok(Close::Lost),
            },
        }
    }

    async fn reset(
        &self,
        pause: Duration,
        sent: &mut u64,
        heard: &mut u64,
    ) -> Result<Close, String> {
        let theirs = watch::Sender::new(false);
        let (said, heard) =
            tokio::join!(self.speak(sent, theirs.subscribe()), self.listen(heard, &theirs));
        if let (Said::Lost, _) | (_, Heard::Lost) = (said?, heard?) {
            return Ok(Close::Lost);
        }
        if let Some(mut met) = self.met.clone() {
            let met = within("the other end has not come", met.wait_for(|met| *met)).await;
            met?.map_err(|_| "the other end is gone")?;
        }
        sleep(pause).await;
        self.stream.set_zero_linger().map_err(|error| error.to_string())?;
        Ok(Close::Left)
    }

    async fn speak(&self, sent: &mut u64, theirs: watch::Receiver<bool>) -> Result<Said, String> {
        let their_end = async |mut theirs: watch::Receiver<bool>| {
            within("no end is heard", async { drop(theirs.wait_for(|end| *end).await) }).await
        };
        if self.part.begins == When::AfterTheirEnd {
            their_end(theirs.clone()).await?;
        }
        let mut rng = Rng::with_seed(self.part.payload.0);
        for burst in &self.part.speech {
            if !burst.pause.is_zero() {
                sleep(burst.pause).await;
            }
            let goal = *sent + burst.bytes;
            while *sent < goal {
                within("it cannot speak", self.stream.writable()).await?.map_err(unexpected)?;
                let most = rng.usize(1..=burst.chunk).min((goal - *sent) as usize);
                let said = SCRATCH.with_borrow_mut(|scratch| {
                    self.part.payload.fill(*sent, &mut scratch[..most]);
                    self.stream.try_write(&scratch[..most])
                });
                match said {
                    Ok(said) => *sent += said as u64,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) if is_loss(&error) => return Ok(Said::Lost),
                    Err(error) => return Err(unexpected(error)),
                }
                consume_budget().await;
            }
            if burst.waits_for_receipt {
                let mut heard = self.heard_there.clone();
                let settled = async { drop(heard.wait_for(|heard| *heard >= *sent).await) };
                within("what was said has not been heard", settled).await?;
            }
        }
        match self.part.ends {
            When::AtOnce => {}
            When::AfterTheirEnd => their_end(theirs).await?,
            When::Never if self.part.resets() => return Ok(Said::All),
            When::Never => within("it is not cut off", pending()).await?,
        }
        match SockRef::from(&self.stream).shutdown(Shutdown::Write) {
            Ok(()) => Ok(Said::All),
            Err(error) if is_loss(&error) => Ok(Said::Lost),
            Err(error) => Err(unexpected(error)),
        }
    }

    async fn listen(&self, heard: &mut u64, theirs: &watch::Sender<bool>) -> Result<Heard, String> {
        let mut rng = Rng::with_seed(self.part.payload.0 ^ 1);
        let mut stalls = self.part.stalls.iter();
        let mut stall = stalls.next();
        loop {
            let mut most = rng.usize(1..=self.part.gulp);
            if let Exit::Reset { heard: enough, .. } = self.part.exit {
                if *heard >= enough {
                    return Ok(Heard::Enough);
                }
                most = most.min((enough - *heard) as usize);
            }
            while let Some((_, pause)) = stall.filter(|(place, _)| place <= heard) {
                sleep(*pause).await;
                stall = stalls.next();
            }
            within("it hears nothing", self.stream.readable()).await?.map_err(unexpected)?;
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let read = self.stream.try_read(&mut scratch[..most]);
                let verified = match read {
                    Ok(read) => self.hears.verify(*heard, &scratch[..read]),
                    Err(_) => Ok(()),
                };
                verified.map(|()| read)
            })?;
            match read {
                Ok(0) => {
                    theirs.send_replace(true);
                    return Ok(Heard::End);
                }
                Ok(read) => *heard += read as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if is_loss(&error) => return Ok(Heard::Lost),
                Err(error) => return Err(unexpected(error)),
            }
            self.heard_here.send_replace(*heard);
            consume_budget().await;
        }
    }
}

/// The other end, or the proxy, has reset the connection.
pub fn is_loss(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::NotConnected
    )
}

pub fn unexpected(error: io::Error) -> String {
    format!("an error that must not be: {error}")
}

/// So that a listener that stalls is felt soon.
fn narrow(stream: &TcpStream, part: &Part) {
    const NARROW: usize = 64 * 1024;
    if part.narrow {
        let socket = SockRef::from(stream);
        let _ = socket.set_recv_buffer_size(NARROW);
        let _ = socket.set_send_buffer_size(NARROW);
    }
}
