//! The Lease as a lock: one replica acquires it, renews it and releases it.

use std::time::Duration;

use jiff::{Timestamp, Unit};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout_at};

use super::lease_watch::{LeaseEvent, LeaseWatch};
use crate::model::NamespacedName;

/// Delay before a write is repeated that conflicted with the write of another client.
pub(super) const CONFLICT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Maximum delay of an attempt to acquire a Lease that was released. It varies, so that not all
/// followers write at one moment.
const RELEASE_SPREAD: Duration = Duration::from_millis(100);

/// Result of an attempt to acquire, renew or release the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The write succeeded.
    Acquired,
    /// Another replica holds the Lease.
    HeldByOther,
    /// Another client has written the Lease meanwhile.
    Conflict,
}

/// The Lease, as one replica uses it.
pub(super) struct LeaseLock {
    leases: Api<Lease>,
    name: String,
    identity: String,
    lease_duration: Duration,
    /// The Lease as it was last read or written; `None` if its current state is not known.
    lease: Option<Lease>,
    /// The Lease of another holder, and the time at which its last change was observed.
    last_observed: Option<(LeaseSpec, Instant)>,
    /// The watch of the Lease while another replica holds it.
    lease_watch: Option<LeaseWatch>,
    /// The `acquireTime` of the Lease when this replica last acquired it.
    acquired_at: Option<MicroTime>,
}

impl LeaseLock {
    pub(super) fn new(
        client: Client,
        lease: &NamespacedName,
        identity: String,
        lease_duration: Duration,
    ) -> Self {
        Self {
            leases: Api::namespaced(client, lease.namespace.as_str()),
            name: lease.name.to_string(),
            identity,
            lease_duration,
            lease: None,
            last_observed: None,
            lease_watch: None,
            acquired_at: None,
        }
    }

    /// Acquires the Lease if it is free or has expired, or renews it if this replica holds it.
    pub(super) async fn try_acquire_or_renew(&mut self) -> kube::Result<Attempt> {
        if !self.lease.as_ref().is_some_and(|lease| self.is_held(lease)) {
            self.lease = self.leases.get_opt(&self.name).await?;
        }
        let now = current_time();
        let spec = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let renews = self.lease.as_ref().is_some_and(|lease| self.is_held(lease));
        if !renews {
            if self.is_held_by_other(&spec) {
                return Ok(Attempt::HeldByOther);
            }
            // It is set before the write, so that the Lease is recognized if the response is lost.
            self.acquired_at = Some(now.clone());
        }
        let mut next = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.lease_duration.as_secs()).ok(),
            renew_time: Some(now),
            ..spec
        };
        if !renews {
            next.acquire_time = self.acquired_at.clone();
            let transitions = |_: &Lease| spec.lease_transitions.unwrap_or(0).saturating_add(1);
            next.lease_transitions = Some(self.lease.as_ref().map_or(0, transitions));
        }
        let attempt = self.write(next).await?;
        if attempt == Attempt::Acquired {
            self.lease_watch = None;
        }
        Ok(attempt)
    }

    /// Returns `true` if this process has acquired the Lease. A Lease with this identity alone may
    /// belong to a previous process, or to a replica that has the same identity by mistake.
    fn is_held(&self, lease: &Lease) -> bool {
        let Some(spec) = &lease.spec else { return false };
        spec.holder_identity.as_ref() == Some(&self.identity)
            && self.acquired_at.is_some()
            && spec.acquire_time == self.acquired_at
    }

    /// Returns `true` if another replica holds the Lease and it has not expired. The age of the
    /// Lease counts from the last observed change, because its times come from another clock.
    fn is_held_by_other(&mut self, spec: &LeaseSpec) -> bool {
        if spec.holder_identity.as_deref().is_none_or(str::is_empty) {
            return false;
        }
        if !matches!(&self.last_observed, Some((observed, _)) if observed == spec) {
            self.last_observed = Some((spec.clone(), Instant::now()));
        }
        Instant::now() < self.expires_at()
    }

    /// Returns the instant at which the Lease of another holder expires if it does not change.
    fn expires_at(&self) -> Instant {
        let Some((spec, observed_at)) = &self.last_observed else { return Instant::now() };
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        *observed_at + seconds.map_or(self.lease_duration, Duration::from_secs)
    }

    /// Writes the Lease, unless it has changed since it was read.
    async fn write(&mut self, spec: LeaseSpec) -> kube::Result<Attempt> {
        // The state of the Lease is unknown until the server has responded.
        let written = match self.lease.take() {
            Some(mut lease) => {
                lease.spec = Some(spec);
                match self.leases.replace(&self.name, &PostParams::default(), &lease).await {
                    // It was deleted meanwhile.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        return Ok(Attempt::Conflict);
                    }
                    written => written,
                }
            }
            None => {
                let metadata =
                    ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(spec) };
                self.leases.create(&PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(lease) => {
                self.lease = Some(lease);
                Ok(Attempt::Acquired)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Conflict),
            Err(error) => Err(error),
        }
    }

    /// Discards the known state of the Lease: a request whose response was lost may have changed
    /// it.
    pub(super) fn invalidate(&mut self) {
        self.lease = None;
    }

    /// Waits until this replica should try to acquire the Lease: when its holder releases it, or
    /// when it seems to have expired because the watch reports no renewal. The Lease is therefore
    /// read at most once per lease duration. Without the permission to watch it, it is read once
    /// per `retry_period`.
    pub(super) async fn wait_for_change(&mut self, retry_period: Duration) {
        let mut lease_watch = self
            .lease_watch
            .take()
            .unwrap_or_else(|| LeaseWatch::new(self.leases.clone(), &self.name));
        if let Some(lease) = &self.lease {
            lease_watch.set_version(lease);
        }
        // Both vary, so that followers do not all read the Lease at the same moment.
        let read_at = Instant::now() + retry_period.mul_f64(1.0 + fastrand::f64() / 5.0);
        let spread = retry_period.mul_f64(fastrand::f64());
        loop {
            let expires_at = self.expires_at() + spread;
            let until = if lease_watch.is_denied() { read_at.min(expires_at) } else { expires_at };
            match timeout_at(until, lease_watch.next()).await {
                Ok(LeaseEvent::Changed(lease)) => {
                    if !self.is_held_by_other(&lease.spec.unwrap_or_default()) {
                        sleep(RELEASE_SPREAD.mul_f64(fastrand::f64())).await;
                        break;
                    }
                }
                Ok(LeaseEvent::Failed) => {}
                Ok(LeaseEvent::Deleted | LeaseEvent::Missed) | Err(_) => break,
            }
        }
        self.lease_watch = Some(lease_watch);
    }

    /// Returns `true` if this process may hold the Lease.
    pub(super) fn may_be_held(&self) -> bool {
        self.acquired_at.is_some()
    }

    /// Releases the Lease, if this process holds it.
    pub(super) async fn release(&mut self) -> kube::Result<Attempt> {
        loop {
            match self.try_release().await {
                // A renewal that was in flight has changed the Lease.
                Ok(Attempt::Conflict) => sleep(CONFLICT_RETRY_DELAY).await,
                attempt => return attempt,
            }
        }
    }

    async fn try_release(&mut self) -> kube::Result<Attempt> {
        self.lease = self.leases.get_opt(&self.name).await?;
        let Some(lease) = self.lease.as_ref().filter(|lease| self.is_held(lease)) else {
            return Ok(Attempt::HeldByOther);
        };
        let now = Some(current_time());
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            acquire_time: now.clone(),
            renew_time: now,
            ..lease.spec.clone().unwrap_or_default()
        };
        self.write(spec).await
    }
}

/// Returns the current time with the precision of a Lease, so that it is equal when it is read
/// back.
fn current_time() -> MicroTime {
    let now = Timestamp::now();
    MicroTime(now.round(Unit::Microsecond).unwrap_or(now))
}
