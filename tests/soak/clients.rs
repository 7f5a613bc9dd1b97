//! All clients: those that run, and the results of those that have finished.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::client::{self, Presence, Went};
use super::leftovers::resident;
use super::log::{self, Ending};
use super::peer::Account;
use super::reload::Stretch;
use super::script::{Scene, Script};
use super::setup::SharedState;
use super::stats::{Stats, gib, mib};
use super::verify::{Observations, verify};
use crate::support::plans::id;

/// Addresses of the listeners of a proxy.
pub struct Addresses {
    lasting: BTreeMap<Scene, SocketAddr>,
    pub passing: Vec<SocketAddr>,
}

pub struct Clients {
    pub state: Arc<SharedState>,
    pub presence: Arc<Presence>,
    pub tasks: JoinSet<Result<Went, String>>,
    pub stats: Stats,
    unknown: Vec<Unknown>,
}

/// A client of which the proxy had said nothing when it left.
type Unknown = (Script, Account, tokio::sync::oneshot::Receiver<Ending>);

impl Addresses {
    pub fn of(stretch: &Stretch) -> Self {
        let bound = &stretch.proxy.bindings.bound;
        let lasting = |scene: Scene| Some((scene, bound.get(&id(scene.name()))?[0]));
        Self {
            lasting: Scene::ALL.into_iter().filter_map(lasting).collect(),
            passing: stretch.passing.iter().map(|reserved| reserved.address).collect(),
        }
    }

    pub fn lasting(&self, scene: Scene) -> SocketAddr {
        self.lasting[&scene]
    }
}

impl Clients {
    pub fn new(state: Arc<SharedState>) -> Self {
        Self {
            state,
            presence: Arc::default(),
            tasks: JoinSet::new(),
            stats: Stats::default(),
            unknown: Vec::new(),
        }
    }

    /// Another client.
    pub fn start(&mut self, script: Script, address: SocketAddr) {
        let (state, presence) = (self.state.clone(), self.presence.clone());
        presence.connecting.fetch_add(1, Ordering::Relaxed);
        self.tasks.spawn(async move { client::run(script, address, &state, &presence).await });
    }

    /// Waits until one of them has gone; whether there was one.
    pub async fn next(&mut self) -> bool {
        match self.tasks.join_next().await {
            None => return false,
            Some(Ok(Ok(Went::Well(script, observed)))) => self.stats.note(&script, &observed),
            Some(Ok(Ok(Went::Away))) => self.stats.away += 1,
            Some(Ok(Ok(Went::Unknown(script, account, ending)))) => {
                self.unknown.push((script, account, ending));
            }
            Some(Ok(Err(problem))) => self.state.report(problem),
            Some(Err(panic)) => self.state.report(panic.to_string()),
        }
        true
    }

    pub async fn finish(&mut self) {
        while self.next().await {}
    }

    /// Verifies the clients that could not be verified before, now that all events are logged, and
    /// returns all problems.
    pub fn conclude(&mut self) -> Vec<String> {
        for (script, client, mut ending) in std::mem::take(&mut self.unknown) {
            let Ok(proxy) = ending.try_recv() else {
                log::forget(script.number);
                self.stats.away += 1;
                continue;
            };
            let observed = Observations { client, backend: None, proxy };
            match verify(&script, &observed) {
                Ok(()) => self.stats.note(&script, &observed),
                Err(problem) => {
                    self.state.report(format!("{problem}\n{observed:?}\n{script:?}"));
                }
            }
        }
        let mut problems = self.state.problems();
        let strays = log::strays();
        if !strays.is_empty() && problems.is_empty() {
            problems.push(format!("connections nobody knows: {strays:?}"));
        }
        problems
    }

    pub fn progress(&self, minutes: u64) {
        let (up, down) = self.stats.bytes();
        println!(
            "{minutes:>4} min {:>9} connections, {:>4} open {:>14} up {:>14} down {:>12} in use",
            self.stats.connections(),
            self.presence.open.load(Ordering::Relaxed),
            gib(up),
            gib(down),
            mib(resident()),
        );
    }
}
