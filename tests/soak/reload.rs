//! Plans that change all the time. No change may affect a connection, except on listeners that are
//! removed.

use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use sluicegate::plan::{BindErrorKind, Plan, RejectReason, Routing, Share};
use tokio::sync::watch;
use tokio::time::timeout;

use super::peer::within;
use super::server::Server;
use crate::support::peer::{Peer, Reserved, Silent};
use crate::support::plans::{self, ANY, backend, id, plan, rejecting, route, settings};
use crate::support::test_forwarder::TestForwarder;

/// Listeners that come and go.
pub const PASSING: usize = 3;

/// Everything that stands behind the proxies.
pub struct Scenery {
    pub talk: Vec<Server>,
    pub greet: Vec<Server>,
    pub refusing: Reserved,
    pub slam: Peer,
    pub silent: Silent,
}

/// A proxy, its plan, and what may change of it.
pub struct Stretch {
    pub proxy: TestForwarder,
    pub passing: Vec<Reserved>,
    pub reloads: u64,
    pub retries: u64,
    open: [bool; PASSING],
    routing: [Routing; 3],
}

impl Stretch {
    pub async fn open(workers: usize, scenery: &Scenery, drain_timeout: Duration) -> Self {
        // The log of each client's connection is checked.
        let settings = settings(workers).with_drain_timeout(drain_timeout);
        let settings = settings.with_connection_log_limit(None);
        let mut stretch = Self {
            proxy: TestForwarder::with(settings, &Plan::default()).await,
            passing: (0..PASSING).map(|_| Reserved::new()).collect(),
            reloads: 0,
            retries: 0,
            open: [true; PASSING],
            routing: [
                single("talk", &addresses(&scenery.talk)),
                single("greet", &addresses(&scenery.greet)),
                standby(scenery, &addresses(&scenery.talk)),
            ],
        };
        let plan = stretch.plan(scenery);
        stretch.proxy.apply(&plan).await;
        assert!(stretch.proxy.bindings.errors.is_empty(), "{:?}", stretch.proxy.bindings);
        stretch
    }

    /// Goes on until told to stop.
    ///
    /// # Errors
    /// What a change did that it must not do.
    pub async fn run(
        &mut self,
        scenery: &Scenery,
        mut rng: Rng,
        longest_pause: Duration,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), String> {
        let before = self.proxy.bindings.clone();
        loop {
            let pause = longest_pause.mul_f64(rng.f64());
            if timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() {
                return Ok(());
            }
            let contest = self.change(scenery, &mut rng);
            let mut plan = self.plan(scenery);
            if contest {
                self.contest(&mut plan).await?;
            } else {
                self.apply(&plan).await?;
            }
            for (listener, bound) in &before.bound {
                let now = self.proxy.bindings.bound.get(listener);
                if now != Some(bound) && !listener.to_string().contains("passing") {
                    return Err(format!("{listener} was at {bound:?} and is at {now:?}"));
                }
            }
        }
    }

    /// Changes something; whether it is to be an address that somebody else has.
    fn change(&mut self, scenery: &Scenery, rng: &mut Rng) -> bool {
        match rng.u8(..8) {
            0 | 1 => {
                let backends = ["one", "two"].map(|name| {
                    backend(name, rng.u32(1..10), &some(&addresses(&scenery.talk), rng))
                });
                self.routing[0] = route("talk", backends);
            }
            2 => self.routing[1] = single("greet", &some(&addresses(&scenery.greet), rng)),
            3 => self.routing[2] = standby(scenery, &some(&addresses(&scenery.talk), rng)),
            4..=6 => {
                let passing = rng.usize(..PASSING);
                self.open[passing] ^= true;
            }
            _ => return true,
        }
        false
    }

    async fn apply(&mut self, plan: &Plan) -> Result<(), String> {
        self.proxy.bindings =
            within("a plan is not applied", self.proxy.forwarder.apply(plan)).await?.clone();
        self.reloads += 1;
        let failures = &self.proxy.bindings.errors;
        if failures.is_empty() { Ok(()) } else { Err(format!("cannot be opened: {failures:?}")) }
    }

    /// An address that somebody else has is opened when they let go of it, and is gone with the next
    /// plan.
    async fn contest(&mut self, plan: &mut Plan) -> Result<(), String> {
        let routing = self.routing[0].clone();
        let contested = Reserved::new();
        let address = contested.address;
        plan.listeners.extend(plans::plan([("contested", address, routing)]).listeners);
        let taken = contested.take();
        let Err(problem) = self.apply(plan).await else {
            return Err("an address of somebody else's was opened".to_owned());
        };
        match self.proxy.bindings.errors.iter().next() {
            Some((listener, failures))
                if *listener == id("contested")
                    && self.proxy.bindings.errors.len() == 1
                    && failures[0].kind == BindErrorKind::PortUnavailable => {}
            _ => return Err(problem),
        }
        drop(taken);
        self.retries += 1;
        let bindings = within("a retry does not end", self.proxy.forwarder.retry()).await?;
        self.proxy.bindings = bindings.ok_or("a retry that changed nothing")?.clone();
        let failures = &self.proxy.bindings.errors;
        if failures.is_empty() { Ok(()) } else { Err(format!("after a retry: {failures:?}")) }
    }

    fn plan(&self, scenery: &Scenery) -> Plan {
        let [talk, greet, standby] = self.routing.clone();
        // As it is, for good: so its shares are exact.
        let mixed: [Share; 2] = [
            backend("there", 3, &addresses(&scenery.talk)),
            rejecting("gone", 1, RejectReason::BackendNotFound),
        ];
        let mut whole = plan([
            ("talk", ANY, talk),
            ("greet", ANY, greet),
            ("standby", ANY, standby),
            ("mixed", ANY, route("mixed", mixed)),
            ("refused", ANY, single("refused", &[scenery.refusing.address])),
            ("slam", ANY, single("slam", &[scenery.slam.address])),
            ("silent", ANY, single("silent", &[scenery.silent.address])),
        ]);
        for (index, reserved) in
            self.passing.iter().enumerate().filter(|(index, _)| self.open[*index])
        {
            let routing = single("passing", &addresses(&scenery.talk));
            let listener = format!("passing-{index}");
            whole.listeners.extend(plan([(&*listener, reserved.address, routing)]).listeners);
        }
        whole
    }
}

fn single(name: &str, endpoints: &[SocketAddr]) -> Routing {
    route(name, [backend(name, 1, endpoints)])
}

/// One endpoint that refuses, and others that stand in for it.
fn standby(scenery: &Scenery, others: &[SocketAddr]) -> Routing {
    let endpoints: Vec<_> = others.iter().copied().chain([scenery.refusing.address]).collect();
    single("standby", &endpoints)
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(|server| server.address).collect()
}

/// At least one of them.
fn some(addresses: &[SocketAddr], rng: &mut Rng) -> Vec<SocketAddr> {
    let count = rng.usize(1..=addresses.len());
    rng.choose_multiple(addresses.iter().copied(), count)
}
