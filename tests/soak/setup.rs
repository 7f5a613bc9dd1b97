//! State that clients and backends share without the proxy: which client meets which backend, how
//! many bytes each has received, and the problems found.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{oneshot, watch};

use super::peer::Account;
use super::script::Script;

/// The first bytes of a connection tell who speaks: a client by its number, a backend that speaks
/// first by that of the connection.
pub const OPENING: usize = 16;

const MARK: [u8; 8] = *b"soaking ";

pub fn opening(number: u64) -> [u8; OPENING] {
    let mut opening = [0; OPENING];
    opening[..8].copy_from_slice(&MARK);
    opening[8..].copy_from_slice(&number.to_le_bytes());
    opening
}

/// # Errors
/// That nobody says so.
pub fn number(opening: [u8; OPENING]) -> Result<u64, String> {
    let (mark, number) = opening.split_at(8);
    let number = number.try_into().map(u64::from_le_bytes).unwrap();
    if mark == MARK { Ok(number) } else { Err(format!("an opening of other bytes: {opening:?}")) }
}

/// A client and its backend.
pub struct Meeting {
    pub script: Script,
    pub client_heard: watch::Sender<u64>,
    pub backend_heard: watch::Sender<u64>,
    pub met: watch::Sender<bool>,
    /// Taken by the backend that meets the client.
    report: Mutex<Option<Report>>,
}

/// How a backend tells what became of it.
pub type Report = oneshot::Sender<Result<(SocketAddr, Account), String>>;

/// How the client's side learns it.
pub type Backend = oneshot::Receiver<Result<(SocketAddr, Account), String>>;

impl Meeting {
    pub fn new(script: Script) -> (Arc<Self>, Backend) {
        let (report, backend) = oneshot::channel();
        let meeting = Self {
            script,
            client_heard: watch::Sender::new(0),
            backend_heard: watch::Sender::new(0),
            met: watch::Sender::new(false),
            report: Mutex::new(Some(report)),
        };
        (Arc::new(meeting), backend)
    }

    /// For the one that meets the client; or, where nobody has, that nobody will.
    pub fn take_report(&self) -> Option<Report> {
        self.report.lock().unwrap().take()
    }
}

#[derive(Default)]
pub struct SharedState {
    meetings: Mutex<HashMap<u64, Arc<Meeting>>>,
    greeters: Mutex<HashMap<u64, oneshot::Sender<u64>>>,
    problems: Mutex<Vec<String>>,
}

impl SharedState {
    /// Those who are to meet.
    pub fn meetings(&self) -> MutexGuard<'_, HashMap<u64, Arc<Meeting>>> {
        self.meetings.lock().unwrap()
    }

    /// Backends that spoke first, and wait to be told to whom.
    pub fn greeters(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<u64>>> {
        self.greeters.lock().unwrap()
    }

    /// Tells what is wrong, at once and at the end. There may be much more of the same.
    pub fn report(&self, problem: String) {
        let mut problems = self.problems.lock().unwrap();
        if problems.len() < 10 {
            println!("\nFAILED: {problem}\n");
            problems.push(problem);
        }
    }

    pub fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap().clone()
    }
}
