//! Signals that request a shutdown, or that files are read again.

use std::io;

use sluicegate::sources::ReloadHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Handlers of SIGTERM and SIGINT.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
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
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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
    pub(crate) async fn forward(mut self, reload: Option<ReloadHandle>) {
        while self.0.recv().await.is_some() {
            match &reload {
                Some(reload) => reload.reload(),
                None => {
                    tracing::info!("SIGHUP ignored: changes of the cluster are followed without it")
                }
            }
        }
    }
}
