//! All clients: those that are there, and what became of those that have gone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::client::{self, Presence, Went};
use super::end::Account;
use super::figures::{Figures, gib, mib};
use super::judge::{Testimony, judge};
use super::leftovers::resident;
use super::log::{self, Ending};
use super::reload::Stretch;
use super::script::{Scene, Script};
use super::stage::Stage;
use crate::support::plans::id;

/// Where the listeners of a proxy are.
pub struct Addresses {
    lasting: BTreeMap<Scene, SocketAddr>,
    pub passing: Vec<SocketAddr>,
}

pub struct Crowd {
    pub stage: Arc<Stage>,
    pub presence: Arc<Presence>,
    pub tasks: JoinSet<Result<Went, String>>,
    pub figures: Figures,
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

impl Crowd {
    pub fn new(stage: Arc<Stage>) -> Self {
        Self {
            stage,
            presence: Arc::default(),
            tasks: JoinSet::new(),
            figures: Figures::default(),
            unknown: Vec::new(),
        }
    }

    /// Another client.
    pub fn start(&mut self, script: Script, address: SocketAddr) {
        let (stage, presence) = (self.stage.clone(), self.presence.clone());
        presence.connecting.fetch_add(1, Ordering::Relaxed);
        self.tasks.spawn(async move { client::run(script, address, &stage, &presence).await });
    }

    /// Waits until one of them has gone; whether there was one.
    pub async fn next(&mut self) -> bool {
        match self.tasks.join_next().await {
            None => return false,
            Some(Ok(Ok(Went::Well(script, said)))) => self.figures.note(&script, &said),
            Some(Ok(Ok(Went::Away))) => self.figures.away += 1,
            Some(Ok(Ok(Went::Unknown(script, account, ending)))) => {
                self.unknown.push((script, account, ending));
            }
            Some(Ok(Err(complaint))) => self.stage.complain(complaint),
            Some(Err(panic)) => self.stage.complain(panic.to_string()),
        }
        true
    }

    pub async fn finish(&mut self) {
        while self.next().await {}
    }

    /// Judges those that could not be judged before, now that the proxies have said everything; what
    /// is wrong, of all of them.
    pub fn conclude(&mut self) -> Vec<String> {
        for (script, client, mut ending) in std::mem::take(&mut self.unknown) {
            let Ok(proxy) = ending.try_recv() else {
                log::forget(script.number);
                self.figures.away += 1;
                continue;
            };
            let said = Testimony { client, backend: None, proxy };
            match judge(&script, &said) {
                Ok(()) => self.figures.note(&script, &said),
                Err(complaint) => {
                    self.stage.complain(format!("{complaint}\n{said:?}\n{script:?}"));
                }
            }
        }
        let mut complaints = self.stage.complaints();
        let strays = log::strays();
        if !strays.is_empty() && complaints.is_empty() {
            complaints.push(format!("connections nobody knows: {strays:?}"));
        }
        complaints
    }

    pub fn progress(&self, minutes: u64) {
        let (up, down) = self.figures.bytes();
        println!(
            "{minutes:>4} min {:>9} connections, {:>4} open {:>14} up {:>14} down {:>12} in use",
            self.figures.connections(),
            self.presence.open.load(Ordering::Relaxed),
            gib(up),
            gib(down),
            mib(resident()),
        );
    }
}
