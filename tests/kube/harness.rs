//! A running source, and a gateway that translates its snapshots without opening listeners.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sluicegate::model::GatewayController;
use sluicegate::sources::{Feed, KubeSource, ServiceTemplate, Snapshot, Source, StatusUpdate};
use sluicegate::translate::{Addresses, Assignments, Host, Settings, SpecialAddresses, translate};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::subscriber::DefaultGuard;

use crate::api::{Api, State};
use crate::objects::OURS;

/// Longer than anything that happens from time to time waits.
const LONG: Duration = Duration::from_secs(900);

/// The address of the host.
const HOST: &str = "192.0.2.100";

pub(crate) struct Harness {
    pub(crate) api: Api,
    published: watch::Receiver<Vec<Arc<Snapshot>>>,
    tasks: [JoinHandle<()>; 2],
    /// How long the gateway takes for a snapshot.
    delay: watch::Sender<Duration>,
    log: Arc<Mutex<Vec<u8>>>,
    _logging: DefaultGuard,
}

impl Harness {
    pub(crate) fn start(api: &Api) -> Self {
        Self::with(api, OURS, |source| source)
    }

    /// A source that is set up in another way.
    pub(crate) fn with(
        api: &Api,
        controller: &str,
        set_up: impl FnOnce(KubeSource) -> KubeSource,
    ) -> Self {
        Self::play(api, controller, HOST, Addresses::Host, set_up)
    }

    /// A source on a host with another address.
    pub(crate) fn on_host(
        api: &Api,
        host: &str,
        set_up: impl FnOnce(KubeSource) -> KubeSource,
    ) -> Self {
        Self::play(api, OURS, host, Addresses::Host, set_up)
    }

    /// Gateways are reached through Services.
    pub(crate) fn behind_services(api: &Api, template: ServiceTemplate) -> Self {
        Self::reached_through_services(api, |source| source.services(template))
    }

    /// Gateways are reached through Services, and the source is set up in another way.
    pub(crate) fn reached_through_services(
        api: &Api,
        set_up: impl FnOnce(KubeSource) -> KubeSource,
    ) -> Self {
        let addresses = Addresses::Service("system".parse().unwrap());
        Self::play(api, OURS, HOST, addresses, set_up)
    }

    fn play(
        api: &Api,
        controller: &str,
        host: &str,
        addresses: Addresses,
        set_up: impl FnOnce(KubeSource) -> KubeSource,
    ) -> Self {
        let log = Arc::default();
        let logging = tracing::subscriber::set_default(
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_max_level(tracing::Level::INFO)
                .with_writer({
                    let log = Arc::clone(&log);
                    move || Writer(Arc::clone(&log))
                })
                .finish(),
        );
        let controller: GatewayController = controller.parse().unwrap();
        let source =
            KubeSource::new(api.client()).controller_name(controller.clone()).identity("test");
        let source = Box::new(set_up(source));
        let address = host.parse().unwrap();
        let settings = Settings::default()
            .with_controller(controller)
            .with_host(Host::new(address, address))
            .with_addresses(addresses)
            // The default for a source whose authors do not operate the gateway.
            .with_special_addresses(SpecialAddresses::Deny);
        let (delay, delayed) = watch::channel(Duration::ZERO);
        let (feed, fed) = Feed::channel();
        let (mut snapshots, say) = fed.into_parts();
        let (publish, published) = watch::channel(Vec::new());
        let gateway = async move {
            let mut assignments = Assignments::default();
            while let Some(snapshot) = snapshots.next().await {
                let delay = *delayed.borrow();
                if !delay.is_zero() {
                    sleep(delay).await;
                }
                let resources = Arc::new(snapshot.resources.clone());
                let translation = translate(&resources, &settings, &assignments);
                let said = StatusUpdate {
                    resources,
                    status: translation.status,
                    gateway_services: translation.gateway_services,
                };
                assignments = translation.assignments;
                say.send_if_modified(|before| {
                    let is_new = *before != said;
                    *before = said;
                    is_new
                });
                publish.send_modify(|all| all.push(snapshot));
            }
        };
        let running = async move {
            let ended = source.run(feed).await;
            panic!("the source has ended: {ended:?}");
        };
        let tasks = [tokio::spawn(gateway), tokio::spawn(running)];
        Self { api: api.clone(), published, tasks, delay, log, _logging: logging }
    }

    /// A source that has written all that it has to say.
    pub(crate) async fn settled(api: &Api) -> Self {
        let harness = Self::start(api);
        harness.settle().await;
        harness
    }

    /// Waits until there is nothing left to do. Minutes pass: watches end and are resumed.
    pub(crate) async fn settle(&self) {
        sleep(LONG).await;
        assert!(self.tasks.iter().all(|task| !task.is_finished()), "{}", self.log());
    }

    /// Lets the gateway take so long for a snapshot before it tells what became of it.
    pub(crate) fn slow_down(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    pub(crate) fn is_published(&self) -> bool {
        !self.published.borrow().is_empty()
    }

    /// How often something was published.
    pub(crate) fn published(&self) -> usize {
        self.published.borrow().len()
    }

    pub(crate) fn latest(&self) -> Arc<Snapshot> {
        self.published.borrow().last().cloned().unwrap()
    }

    /// Everything that was published, in turn.
    pub(crate) fn all(&self) -> Vec<Arc<Snapshot>> {
        self.published.borrow().clone()
    }

    /// Waits until something is published that satisfies a condition.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&Snapshot) -> bool,
    ) -> Arc<Snapshot> {
        let mut published = self.published.clone();
        let is_there = |all: &Vec<Arc<Snapshot>>| all.last().is_some_and(|last| condition(last));
        let found = match timeout(LONG, published.wait_for(is_there)).await {
            Ok(all) => all.unwrap().last().cloned(),
            Err(_) => None,
        };
        found.unwrap_or_else(|| panic!("never published: {what}\n{}", self.log()))
    }

    /// Waits until the server is asked for something.
    pub(crate) async fn asked(&self, what: &str, condition: impl Fn(&State) -> bool) {
        self.api.until(what, condition).await;
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.log.lock().unwrap().clone()).unwrap()
    }

    /// The warnings so far that speak of something.
    pub(crate) fn warnings(&self, of: &str) -> usize {
        let log = self.log();
        let is_warning = |line: &&str| line.contains(" WARN sluicegate") && line.contains(of);
        log.lines().filter(is_warning).count()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
