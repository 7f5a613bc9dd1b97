//! Errors that end the program.

use std::error::Error;
use std::fmt;
use std::io;

use sluicegate::StartError;
use sluicegate::sources::KubeError;

use crate::health::HealthError;

/// Error that ends `sluicegate run` with exit status 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The kernel provides no event queue.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The handlers of the stop signals cannot be installed.
    #[error("cannot handle SIGTERM and SIGINT")]
    Signals(#[source] io::Error),
    /// The health endpoints cannot be served.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// There is no client for a cluster.
    #[error(transparent)]
    Kubernetes(#[from] KubeError),
    /// The gateway did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A source ended after the start, so that the gateway follows no further changes.
    #[error("source {} failed and no longer receives updates; see the errors logged above", .0.join(", "))]
    SourceFailed(Vec<String>),
    /// The gateway stopped without a request, which is a bug.
    #[error("internal error: the gateway stopped unexpectedly; see the log above")]
    Stopped,
}

/// Displays an error and its sources on one line, separated by colons.
///
/// Errors of other crates often repeat the text of their source. Such a source is not displayed
/// twice.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let next = error.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            source = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{ErrorChain, RunError};
    use crate::health::HealthError;

    #[derive(Debug, thiserror::Error)]
    #[error("no route: {0}")]
    struct Repeats(#[source] io::Error);

    #[test]
    fn error_chain_contains_each_source_once() {
        let source = io::Error::other("address in use");
        let address = "127.0.0.1:80".parse().unwrap();
        let error = RunError::from(HealthError::Listen { address, source });
        let expected = "cannot listen on 127.0.0.1:80 for /livez and /readyz \
                        (choose another address with --health): address in use";
        assert_eq!(ErrorChain(&error).to_string(), expected);

        let error = Repeats(io::Error::other("refused"));
        assert_eq!(ErrorChain(&error).to_string(), "no route: refused");
    }
}
