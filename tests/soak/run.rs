//! A soak test from start to end: clients connect while plans change, then a drain, then a check
//! for leaks.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clients::{Addresses, Clients};
use super::leftovers::{descriptors, resident, workers};
use super::log;
use super::reload::{PASSING, Scenery, Stretch};
use super::script::{Measure, Scene, Script};
use super::server::{First, Server};
use super::setup::SharedState;
use super::stats::{gib, line, mib, seconds};
use crate::support::eventually;
use crate::support::peer::{Peer, Reserved, Silent};

/// By how much more memory may be in use at the end than in the middle.
const SLACK: u64 = 16 << 20;

pub enum Length {
    Clients(u64),
    Time(Duration),
}

pub struct Soak {
    pub seed: u64,
    pub measure: Measure,
    pub length: Length,
    /// How many clients there are at a time.
    pub crowd: RangeInclusive<usize>,
    /// The longest pause between two changes of a plan.
    pub reload_pause: Duration,
    pub drain_timeout: Duration,
    /// Workers of the second proxy; the first one has a single worker.
    pub workers: usize,
}

impl Soak {
    pub fn run(self) {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        println!("SOAK_SEED={}", self.seed);
        let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
        // What the first one opens stays open.
        drop(runtime());
        let before = descriptors();
        let mut problems = runtime().block_on(self.soak());
        let after = descriptors();
        line(
            "descriptors",
            format!(
                "{} before, {} after",
                before.values().sum::<usize>(),
                after.values().sum::<usize>()
            ),
        );
        if after != before {
            problems.push(format!("descriptors are left: {before:?} before, {after:?} after"));
        }
        assert!(problems.is_empty(), "SOAK_SEED={}\n\n{}\n", self.seed, problems.join("\n\n"));
    }

    /// What is wrong.
    async fn soak(&self) -> Vec<String> {
        log::listen();
        let started = Instant::now();
        let state = Arc::new(SharedState::default());
        let (first, second) = (First::Client, First::Backend);
        let server = |first| Server::start(state.clone(), first);
        let scenery = Arc::new(Scenery {
            talk: vec![server(first).await, server(first).await, server(first).await],
            greet: vec![server(second).await, server(second).await],
            refusing: Reserved::new(),
            slam: Peer::reset().await,
            silent: Silent::new().await,
        });
        let stretches = [
            Stretch::open(1, &scenery, self.drain_timeout).await,
            Stretch::open(self.workers, &scenery, self.drain_timeout).await,
        ];
        let mut clients = Clients::new(state.clone());

        let addresses = stretches.each_ref().map(Addresses::of);
        let (stop, stopped) = watch::channel(false);
        let reloading = stretches
            .map(|stretch| self.reload(stretch, scenery.clone(), state.clone(), stopped.clone()));
        let middle = self.send(&mut clients, &addresses, started).await;

        // Those that are connected finish; with plans that stay as they are, and proxies that close.
        stop.send_replace(true);
        let [one, two] = reloading;
        let mut stretches = [one.await.unwrap(), two.await.unwrap()];
        let connecting = || clients.presence.connecting.load(Ordering::Relaxed);
        eventually("all are connected", || connecting() == 0).await;
        let [one, two] = &mut stretches;
        let patience = Duration::from_secs(120);
        tokio::join!(
            one.proxy.forwarder.drain(patience),
            two.proxy.forwarder.drain(patience),
            clients.finish()
        );
        let end = resident();

        let mut problems = clients.conclude();
        for (index, stretch) in stretches.iter().enumerate() {
            let counters = stretch.proxy.forwarder.counters().listeners();
            problems.extend(clients.stats.agree(index, &counters).err());
        }
        if end > middle + SLACK {
            problems.push(format!(
                "memory grows: {} in the middle, {} at the end",
                mib(middle),
                mib(end)
            ));
        }
        let Clients { stats, presence, .. } = clients;
        let (up, down) = stats.bytes();
        println!();
        line("seed", self.seed);
        line("duration", seconds(started.elapsed()));
        let peak = presence.peak.load(Ordering::Relaxed);
        line(
            "connections",
            format!("{}, {peak} at once, {} to listeners away", stats.connections(), stats.away),
        );
        line("bytes", format!("{} up, {} down", gib(up), gib(down)));
        let [one, two] = &stretches;
        line("reloads", format!("{} and {}", one.reloads, two.reloads));
        line("retried binds", format!("{} and {}", one.retries, two.retries));
        line("memory", format!("{} in the middle, {} at the end", mib(middle), mib(end)));
        println!("{stats}");

        drop(stretches);
        eventually("the workers' threads are gone", || workers().is_empty()).await;
        drop(scenery);
        let tasks = || Handle::current().metrics().num_alive_tasks();
        eventually("no task of a client or backend is left", || tasks() == 0).await;
        problems
    }

    /// Changes a proxy's plan until told to stop.
    fn reload(
        &self,
        mut stretch: Stretch,
        scenery: Arc<Scenery>,
        state: Arc<SharedState>,
        stop: watch::Receiver<bool>,
    ) -> JoinHandle<Stretch> {
        let rng = Rng::with_seed(self.seed ^ u64::from(stretch.passing[0].address.port()));
        let pause = self.reload_pause;
        tokio::spawn(async move {
            if let Err(problem) = stretch.run(&scenery, rng, pause, stop).await {
                state.report(format!("a reload: {problem}"));
            }
            stretch
        })
    }

    /// Lets clients come for as long as asked, or until something goes wrong; how much memory was in
    /// use in the middle.
    async fn send(&self, clients: &mut Clients, proxies: &[Addresses], started: Instant) -> u64 {
        let mut rng = Rng::with_seed(self.seed);
        let (mut crowd, mut next_crowd, mut middle, mut minutes) = (0, 0, None, 0);
        for number in 0.. {
            let progress = match self.length {
                Length::Clients(count) => number as f64 / count as f64,
                Length::Time(time) => started.elapsed().as_secs_f64() / time.as_secs_f64(),
            };
            if progress >= 0.5 {
                middle.get_or_insert_with(resident);
            }
            if progress >= 1.0 || !clients.state.problems().is_empty() {
                break;
            }
            if started.elapsed().as_secs() / 60 > minutes {
                minutes = started.elapsed().as_secs() / 60;
                clients.progress(minutes);
            }
            if number == next_crowd {
                crowd = rng.usize(self.crowd.clone());
                next_crowd = number + 2 * crowd as u64;
            }
            while clients.tasks.len() >= crowd {
                clients.next().await;
            }
            let script = Script::new(self.seed, number, &self.measure);
            let proxy = &proxies[script.proxy];
            let address = match script.scene {
                Scene::Passing => proxy.passing[rng.usize(..PASSING)],
                Scene::Vanish => proxy.lasting(Scene::Talk),
                scene => proxy.lasting(scene),
            };
            clients.start(script, address);
        }
        middle.unwrap_or_else(resident)
    }
}
