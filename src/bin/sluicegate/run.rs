//! Running a gateway, from the start to a graceful stop.

use std::io;

use rustix::system::uname;
use sluicegate::forward::Settings;
use sluicegate::sources::{Election, FileSource, KubeSource, LeaseHandle};
use sluicegate::{Builder, Handle, Reports, Server};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::{Cluster, Options};
use crate::error::RunError;
use crate::health::{self, Stage};
use crate::notes::Notes;

/// Runs until it is told to stop.
pub(crate) fn run(options: Options) -> Result<(), RunError> {
    // What forwards has threads of its own.
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RunError::Runtime)?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> Result<(), RunError> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "sluicegate");
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    let (stage, stages) = watch::channel(Stage::Starting);
    tokio::spawn(health::serve(health::listen(options.health).await?, stages));

    let (gateway, resigner) = gateway(&options).await?;
    let mut starting = std::pin::pin!(gateway.start());
    let gateway = tokio::select! {
        started = &mut starting => started?,
        () = signals.next() => {
            resign(resigner).await;
            tracing::info!("stopped before it had begun");
            return Ok(());
        }
    };
    stage.send_replace(Stage::Ready);
    tracing::info!("ready");

    let mut reports = gateway.reports();
    let mut notes = Notes::default();
    let outcome = loop {
        tokio::select! {
            report = reports.next() => match report {
                Some(report) if !report.failed.is_empty() => {
                    break Err(RunError::SourceFailed(report.failed.clone()));
                }
                // In a cluster, status tells it where people look for it.
                Some(report) if !options.kubernetes => notes.tell(&report),
                Some(_) => {}
                None => return Err(RunError::Stopped),
            },
            () = signals.next() => break Ok(()),
        }
    };
    stage.send_replace(Stage::Stopping);
    stop(gateway, reports, resigner, &options, &mut signals).await;
    outcome
}

/// The gateway that was asked for, and who gives its Lease up.
async fn gateway(options: &Options) -> Result<(Builder, Option<LeaseHandle>), RunError> {
    // The connections of a listener that is removed get as much time as those of a stop.
    let mut forward = Settings::default().with_drain_timeout(options.drain_timeout);
    if let Some(workers) = options.workers {
        forward = forward.with_workers(workers.get());
    }
    let gateway = Server::builder().forward(forward);
    let mut gateway = gateway.addresses(options.place.addresses.clone());
    if let Some(address) = options.place.bind {
        gateway = gateway.bind(address);
    }
    if let Some(address) = options.place.advertise {
        gateway = gateway.advertise(address);
    }
    if options.kubernetes {
        let (source, resigner) = cluster(options).await?;
        return Ok((gateway.source(source), resigner));
    }
    if let Some(name) = &options.controller_name {
        gateway = gateway.controller_name(name.clone());
    }
    Ok((gateway.source(FileSource::new(&options.files)), None))
}

/// The cluster as a source, and who gives its Lease up.
async fn cluster(options: &Options) -> Result<(KubeSource, Option<LeaseHandle>), RunError> {
    let Cluster { watch_namespaces, read_only, lease, identity } = &options.cluster;
    let identity = match identity {
        Some(identity) => identity.clone(),
        None => uname().nodename().to_string_lossy().into_owned(),
    };
    let mut source = KubeSource::infer()
        .await?
        .namespaces(watch_namespaces.iter().cloned())
        .identity(identity.clone());
    if let Some(name) = &options.controller_name {
        source = source.controller_name(name.clone());
    }
    if let Some(template) = options.place.services() {
        source = source.services(template);
    }
    if *read_only {
        return Ok((source.read_only(), None));
    }
    let Some(lease) = lease else { return Ok((source, None)) };
    let election = Election::new(lease.clone(), identity);
    let resigner = election.resigner();
    Ok((source.election(election), Some(resigner)))
}

/// Says that it stops, goes on until that is known, and lets live connections finish. A second
/// signal ends all that.
async fn stop(
    gateway: Handle,
    mut reports: Reports,
    resigner: Option<LeaseHandle>,
    options: &Options,
    signals: &mut Signals,
) {
    let (delay, timeout) = (options.stop_delay(), options.drain_timeout);
    tracing::info!(
        delay_s = delay.as_secs_f64(),
        "stopping: no longer ready; connections are still taken for the delay. Once more to stop at once"
    );
    let gently = async {
        tokio::join!(resign(resigner), sleep(delay));
        let live: u64 =
            gateway.counters().listeners().values().map(|listener| listener.active()).sum();
        tracing::info!(
            live,
            timeout_s = timeout.as_secs_f64(),
            "stopping: no new connections; those that live may finish within the timeout"
        );
        gateway.drain(timeout).await;
    };
    tokio::select! {
        () = gently => {
            tracing::info!("stopped");
            return;
        }
        () = signals.next() => {}
    }
    // The gateway resets what still lives, and ends its reports when that is done.
    while reports.next().await.is_some() {}
    tracing::info!("stopped at once");
}

async fn resign(resigner: Option<LeaseHandle>) {
    if let Some(resigner) = resigner {
        resigner.resign().await;
    }
}

/// The signals that ask for a stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
