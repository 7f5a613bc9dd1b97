//! Running a gateway, from the start to a graceful stop.

use sluicegate::sources::LeaseHandle;
use sluicegate::{Handle, Reports};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::Options;
use crate::error::RunError;
use crate::gateway::gateway;
use crate::health::{self, Stage};
use crate::signals::Signals;
use crate::status_log::Notes;

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
