//! Handlers of signals: for a shutdown, for reading files again, and for signals without effect.

use std::io;
use std::time::{Duration, Instant};

use sluicegate::sources::ReloadHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::health::Lifecycle;

/// Stop signals within this time count as one. Many supervisors send a signal to the process group
/// and to the process.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// Handlers of SIGTERM, SIGINT and SIGQUIT.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    requests: StopRequests,
}

/// State that distinguishes new requests to stop from repeated signals of one request.
#[derive(Debug, Default)]
struct StopRequests {
    /// Time of the last signal that was a new request.
    last: Option<Instant>,
}

impl StopRequests {
    /// Returns `true` if a signal at this time is a new request.
    fn is_new(&mut self, now: Instant) -> bool {
        if self.last.is_some_and(|last| now.duration_since(last) < SAME_REQUEST) {
            return false;
        }
        self.last = Some(now);
        true
    }
}

impl StopSignals {
    /// Installs the handlers, which replace the default action for the rest of the process.
    ///
    /// # Errors
    /// Returns the error of the operating system if it refuses a handler.
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            requests: StopRequests::default(),
        })
    }

    /// Waits for the next request to stop.
    pub(crate) async fn next(&mut self) {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.quit.recv() => "SIGQUIT",
            };
            if self.requests.is_new(Instant::now()) {
                return;
            }
            tracing::info!(
                "{name} ignored: the last stop signal was less than {} s ago, and both count as one; \
                 to stop immediately, send the signal again after that time",
                SAME_REQUEST.as_secs()
            );
        }
    }
}

/// Handler of SIGHUP.
pub(crate) struct ReloadSignal(Signal);

impl ReloadSignal {
    /// Installs the handler, which replaces the default action for the rest of the process.
    ///
    /// # Errors
    /// Returns the error of the operating system if it refuses the handler.
    pub(crate) fn install() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Requests at each signal that all files are read again. Does not return.
    pub(crate) async fn forward(
        mut self,
        reload: Option<ReloadHandle>,
        lifecycle: watch::Receiver<Lifecycle>,
    ) {
        while self.0.recv().await.is_some() {
            match &reload {
                _ if matches!(*lifecycle.borrow(), Lifecycle::Leaving | Lifecycle::Draining) => {
                    tracing::info!("SIGHUP ignored: the gateway is shutting down");
                }
                Some(reload) => reload.reload(),
                None => {
                    tracing::info!("SIGHUP ignored: changes of objects are followed without it")
                }
            }
        }
    }
}

/// Handlers of SIGUSR1 and SIGUSR2. By default, these signals end a process.
pub(crate) struct UnusedSignals {
    user1: Signal,
    user2: Signal,
}

impl UnusedSignals {
    /// Installs the handlers, which replace the default action for the rest of the process.
    ///
    /// # Errors
    /// Returns the error of the operating system if it refuses a handler.
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Logs each signal. Does not return.
    pub(crate) async fn log(mut self) {
        loop {
            let name = tokio::select! {
                _ = self.user1.recv() => "SIGUSR1",
                _ = self.user2.recv() => "SIGUSR2",
            };
            tracing::info!(
                "{name} has no effect; SIGTERM, SIGINT and SIGQUIT stop the gateway, and SIGHUP \
                 reads all files again (with --files)"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_signals_within_a_second_are_one_request() {
        let start = Instant::now();
        let mut requests = StopRequests::default();
        let mut is_new = |millis| requests.is_new(start + Duration::from_millis(millis));
        assert!(is_new(0));
        assert!(!is_new(0));
        assert!(!is_new(999));
        // The second begins with the request, not with the last signal.
        assert!(is_new(1_000));
        assert!(!is_new(1_500));
        assert!(is_new(9_000));
    }
}
