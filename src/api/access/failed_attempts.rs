//! The limit of attempts with unknown tokens.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::token_bucket::{Rate, TokenBucket};
use crate::store::LogInterval;

/// Limit of the failed attempts of one client.
const PER_PEER: Rate = Rate { burst: 10.0, per_second: 1.0 };

/// Limit of the failed attempts of all clients together.
const TOTAL: Rate = Rate { burst: 100.0, per_second: 20.0 };

/// Number of buckets for clients. Clients with the same bucket share the limit, so that memory and
/// time are constant.
const BUCKETS: usize = 1024;

/// Shortest time between two log lines about failed attempts.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Limit of attempts with unknown tokens, for each client and in total.
///
/// A valid token is accepted in any case, so that a client cannot lock out others behind the same
/// address. The limit is not needed against guessing, since a token has at least 32 characters: it
/// makes clients with an old token back off, as client-go does after 429 with Retry-After.
pub(super) struct FailedAttempts {
    state: Mutex<State>,
    hasher: RandomState,
}

struct State {
    total: TokenBucket,
    peers: Box<[TokenBucket]>,
    /// Attempts since the last log line.
    unlogged: u64,
    log_interval: LogInterval,
}

impl FailedAttempts {
    pub(super) fn new() -> Self {
        let bucket = TokenBucket::new(Instant::now());
        let state = State {
            total: bucket,
            peers: vec![bucket; BUCKETS].into(),
            unlogged: 0,
            log_interval: LogInterval::new(LOG_INTERVAL),
        };
        Self { state: Mutex::new(state), hasher: RandomState::new() }
    }

    /// Counts a failed attempt.
    ///
    /// # Errors
    /// Returns the time until the next attempt if the client, or all clients together, exceed the
    /// limit.
    pub(super) fn count(&self, peer: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.log(peer, now);
        let mut bucket = peer.map(|peer| &mut state.peers[self.index(peer)]);
        let waits = [
            bucket.as_deref_mut().and_then(|bucket| bucket.wait(PER_PEER, now)),
            state.total.wait(TOTAL, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        if let Some(bucket) = bucket {
            bucket.take();
        }
        state.total.take();
        Ok(())
    }

    fn index(&self, peer: IpAddr) -> usize {
        let hash = self.hasher.hash_one(network(peer));
        usize::try_from(hash % BUCKETS as u64).unwrap_or_default()
    }
}

impl State {
    fn log(&mut self, peer: Option<IpAddr>, now: Instant) {
        self.unlogged += 1;
        if !self.log_interval.begin(now) {
            return;
        }
        let attempts = std::mem::take(&mut self.unlogged);
        let peer = fmt::from_fn(|f| match peer {
            Some(peer) => write!(f, "{peer}"),
            None => f.write_str("unknown"),
        });
        tracing::warn!(
            %peer,
            attempts,
            "refused a request to the API with an unknown token; if the client is yours, give it a \
             new kubeconfig (sluicegate kubeconfig)"
        );
    }
}

impl fmt::Debug for FailedAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedAttempts").finish_non_exhaustive()
    }
}

/// Returns the address of a client or, with IPv6, its /64, since one host may have all addresses of
/// a /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn accepted(attempts: &FailedAttempts, peer: Option<IpAddr>, now: Instant, of: usize) -> usize {
        (0..of).filter(|_| attempts.count(peer, now).is_ok()).count()
    }

    #[test]
    fn attempts_of_a_client_are_limited() {
        let (attempts, start) = (FailedAttempts::new(), Instant::now());
        assert_eq!(accepted(&attempts, ip("192.0.2.1"), start, 50), 10);
        let wait = attempts.count(ip("192.0.2.1"), start).unwrap_err();
        assert!((0.5..=1.0).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(accepted(&attempts, ip("192.0.2.1"), start + Duration::from_secs(3), 50), 3);
        // An hour fills the bucket, and not more.
        assert_eq!(accepted(&attempts, ip("192.0.2.1"), start + Duration::from_secs(3600), 50), 10);
    }

    #[test]
    fn ipv6_clients_are_counted_by_network() {
        let (attempts, start) = (FailedAttempts::new(), Instant::now());
        assert_eq!(accepted(&attempts, ip("2001:db8::1"), start, 8), 8);
        assert_eq!(accepted(&attempts, ip("2001:db8::ffff:2"), start, 8), 2);
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1");
    }

    #[test]
    fn attempts_of_all_clients_are_limited() {
        let (attempts, start) = (FailedAttempts::new(), Instant::now());
        let clients = (0..2000_u32).map(|index| Some(IpAddr::V4((0xc000_0200 + index).into())));
        assert_eq!(clients.filter(|peer| attempts.count(*peer, start).is_ok()).count(), 100);
        assert_eq!(accepted(&attempts, None, start + Duration::from_secs(1), 50), 20);
    }

    #[test]
    fn clock_that_steps_back_is_tolerated() {
        let (attempts, start) = (FailedAttempts::new(), Instant::now());
        let later = start + Duration::from_secs(5);
        assert_eq!(accepted(&attempts, ip("192.0.2.1"), later, 50), 10);
        assert_eq!(accepted(&attempts, ip("192.0.2.1"), start, 50), 0);
    }

    #[test]
    fn log_lines_are_limited() {
        let (attempts, start) = (FailedAttempts::new(), Instant::now());
        accepted(&attempts, ip("192.0.2.1"), start, 50);
        assert_eq!(attempts.state.lock().unwrap().unlogged, 49);
        accepted(&attempts, ip("192.0.2.1"), start + LOG_INTERVAL, 1);
        assert_eq!(attempts.state.lock().unwrap().unlogged, 0);
    }
}
