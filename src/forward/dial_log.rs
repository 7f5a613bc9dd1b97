//! Warnings about dials that fail because this host lacks a resource.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::dial_failure::DialFailure;

/// Minimum time between two warnings with the same cause.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time of the last warning for each local cause. All backends share it.
#[derive(Debug, Default)]
pub(super) struct DialLog(Mutex<Vec<(DialFailure, Instant)>>);

impl DialLog {
    /// Logs a warning, unless one with this cause was logged within [`INTERVAL`].
    pub(super) fn warn_local(
        &self,
        endpoint: SocketAddr,
        failure: DialFailure,
        error: &io::Error,
        now: Instant,
    ) {
        if !self.start_interval(failure, now) {
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

    /// Returns `true` if the last interval of this cause has ended.
    fn start_interval(&self, failure: DialFailure, now: Instant) -> bool {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match warnings.iter_mut().find(|(cause, _)| *cause == failure) {
            Some((_, last)) if now < *last + INTERVAL => return false,
            Some((_, last)) => *last = now,
            None => warnings.push((failure, now)),
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
        assert!(log.start_interval(DialFailure::NoLocalPort, start));
        assert!(!log.start_interval(DialFailure::NoLocalPort, start + INTERVAL / 2));
        assert!(log.start_interval(DialFailure::NoDescriptor, start + INTERVAL / 2));
        assert!(log.start_interval(DialFailure::NoLocalPort, start + INTERVAL));
    }
}
