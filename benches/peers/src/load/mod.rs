//! The loads that clients put on a proxy. Each has a thread of its own and runs until it is
//! dropped.

mod bulk;
mod connects;
mod round_trips;

use std::future::Future;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub(crate) use self::bulk::{download, upload};
pub(crate) use self::connects::{Exchange, connects};
pub(crate) use self::round_trips::{hold, round_trips};

/// Nanoseconds; what takes longer counts as this.
const SLOWEST: u64 = 60_000_000_000;

/// Units and latencies since the last [`Tally::take`].
#[derive(Debug)]
pub(crate) struct Counts {
    /// Bytes, round trips or connections.
    pub(crate) units: u64,
    /// Nanoseconds for each round trip, or for each connection and its answer.
    pub(crate) latencies: Histogram<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        let latencies = Histogram::new_with_max(SLOWEST, 3).expect("bounds as they should be");
        Self { units: 0, latencies }
    }
}

/// Where the clients of a load count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    pub(crate) fn take(&self) -> Counts {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).units == 0
    }

    fn add(&self, units: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).units += units;
    }

    fn record(&self, latency: Duration) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.units += 1;
        counts.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Says that every client is connected.
type Ready = oneshot::Sender<()>;

/// Clients at work.
#[derive(Debug)]
pub(crate) struct Load {
    tally: Tally,
    /// Closed to stop the clients.
    stop: Option<oneshot::Sender<()>>,
    /// `None` after the result was returned.
    ended: Option<oneshot::Receiver<io::Result<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts the clients and waits until they are connected.
    pub(crate) async fn start<W, F>(work: W) -> anyhow::Result<Self>
    where
        W: FnOnce(Tally, Ready) -> F + Send + 'static,
        F: Future<Output = io::Result<()>>,
    {
        let tally = Tally::default();
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let work = {
            let tally = tally.clone();
            move || {
                let result = runtime.block_on(async {
                    tokio::select! {
                        result = work(tally, ready) => result,
                        _ = stopped => Ok(()),
                    }
                });
                // Nobody may be there to hear of it.
                let _ = end.send(result);
            }
        };
        let thread = thread::Builder::new().name("load".to_owned()).spawn(work)?;
        let mut load = Self { tally, stop: Some(stop), ended: Some(ended), thread: Some(thread) };
        if is_ready.await.is_err() {
            load.ended().await?;
            anyhow::bail!("the clients ended before they were connected");
        }
        Ok(load)
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns `true` until [`Load::ended`] has returned a result.
    pub(crate) fn is_running(&self) -> bool {
        self.ended.is_some()
    }

    /// Waits until the clients have done all they had to do.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let Some(ended) = &mut self.ended else { return Ok(()) };
        let result = ended.await;
        self.ended = None;
        result.context("the clients panicked")?.context("a client failed")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // That it panicked has been said.
            let _ = thread.join();
        }
    }
}

/// Waits for clients that all end well, or for the first that does not.
async fn all(mut clients: JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(())
}
