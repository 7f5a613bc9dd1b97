//! Warnings about dials that fail for another reason than the endpoint: this host lacks a resource,
//! or too many dials to the backend are in progress.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::dial_failure::DialFailure;
use crate::plan::BackendId;

/// Minimum time between two warnings with the same cause.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time of the last warning for each cause. All backends share it.
#[derive(Debug, Default)]
pub(super) struct DialLog(Mutex<Vec<(Cause, Instant)>>);

/// Cause of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// This host lacks a resource.
    Local(DialFailure),
    /// Too many dials to a backend are in progress.
    Limit,
}

impl DialLog {
    /// Logs a warning, unless one with this cause was logged within [`INTERVAL`].
    pub(super) fn warn_local(
        &self,
        endpoint: SocketAddr,
        failure: DialFailure,
        error: &io::Error,
        now: Instant,
    ) {
        if !self.start_interval(Cause::Local(failure), now) {
            return;
        }
        let remedy = match failure {
            DialFailure::NoLocalPort => {
                "each endpoint can have one connection for each port of \
                 net.ipv4.ip_local_port_range, and ports in TIME_WAIT count: widen the range, or \
                 add endpoints"
            }
            DialFailure::NoDescriptor => "raise the limit of open files (RLIMIT_NOFILE)",
            DialFailure::NoMemory => {
                "the kernel has no memory for the socket: free memory, or raise net.ipv4.tcp_mem"
            }
            _ => "the error names the resource",
        };
        tracing::warn!(
            %endpoint,
            reason = failure.as_str(),
            %error,
            "cannot dial, because this host lacks a resource; the connection is reset unless \
             another endpoint can be dialled: {remedy}"
        );
    }

    /// Logs a warning about a connection that is reset because `limit` dials to its backend are in
    /// progress, unless one was logged within [`INTERVAL`].
    pub(super) fn warn_limit(&self, backend: &BackendId, limit: usize, now: Instant) {
        if self.start_interval(Cause::Limit, now) {
            tracing::warn!(
                %backend,
                limit,
                "as many connections as allowed are dialling the backend, so further ones are \
                 reset (outcome dial_limit); check if its endpoints answer"
            );
        }
    }

    /// Returns `true` if the last interval of this cause has ended.
    fn start_interval(&self, cause: Cause, now: Instant) -> bool {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match warnings.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, last)) if now < *last + INTERVAL => return false,
            Some((_, last)) => *last = now,
            None => warnings.push((cause, now)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_limited_for_each_cause() {
        let (log, start) = (DialLog::default(), Instant::now());
        let no_port = Cause::Local(DialFailure::NoLocalPort);
        assert!(log.start_interval(no_port, start));
        assert!(!log.start_interval(no_port, start + INTERVAL / 2));
        assert!(log.start_interval(Cause::Limit, start + INTERVAL / 2));
        assert!(log.start_interval(no_port, start + INTERVAL));
    }
}
