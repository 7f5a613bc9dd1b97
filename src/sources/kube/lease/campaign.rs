//! Standing for election: taking the Lease, renewing it, losing it, giving it up.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::{Timestamp, Unit};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Election, PATIENCE, Stage};
use crate::sources::kube::active_errors::error_text;

/// How long to wait before what somebody else's write has spoilt is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// Stands for election until resigned. `leadership` says until when this replica may write, and
/// `None` where it may not; whoever writes looks at it, and at the clock, before every write.
pub(in crate::sources::kube) async fn campaign(
    client: Client,
    election: Election,
    leadership: watch::Sender<Option<Instant>>,
) {
    let Some(_running) = Running::begin(&election.stage) else { return };
    let mut stage = election.stage.subscribe();
    let mut candidate = Candidate {
        leases: Api::namespaced(client, election.lease.namespace.as_str()),
        election,
        leadership,
        lease: None,
        heard: None,
        states: None,
        term: None,
        trouble: None,
    };
    tokio::select! {
        biased;
        // The sender lives as long as the election.
        _ = stage.wait_for(|stage| *stage == Stage::Resigning) => {}
        never = candidate.stand() => match never {},
    }
    candidate.leadership.send_replace(None);
    candidate.give_up().await;
}

/// Tells whoever has resigned that the campaign is over, however it has ended.
struct Running(Arc<watch::Sender<Stage>>);

impl Running {
    /// `None` where somebody has resigned already.
    fn begin(stage: &Arc<watch::Sender<Stage>>) -> Option<Self> {
        let begins = stage.send_if_modified(|stage| {
            let begins = *stage == Stage::NotBegun;
            if begins {
                *stage = Stage::Running;
            }
            begins
        });
        begins.then(|| Self(stage.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_replace(Stage::Over);
    }
}

struct Candidate {
    leases: Api<Lease>,
    election: Election,
    leadership: watch::Sender<Option<Instant>>,
    /// The Lease as it was last read or written, unless it is known to be another by now.
    lease: Option<Lease>,
    /// What another holder has last said, and when that was heard.
    heard: Option<(LeaseSpec, Instant)>,
    /// What a watch says of the Lease while another has it.
    states: Option<BoxStream<'static, watcher::Result<Option<Lease>>>>,
    /// When this replica last took the Lease, as the Lease says it.
    term: Option<MicroTime>,
    /// What keeps the API server from answering, where that has been said: its code, if any.
    trouble: Option<Option<u16>>,
}

/// What comes of a try.
enum Attempt {
    /// The Lease is ours.
    Held,
    /// It is another's.
    Refused,
    /// Somebody else has written it meanwhile.
    Spoilt,
}

impl Candidate {
    async fn stand(&mut self) -> Infallible {
        loop {
            let begun = Instant::now();
            let attempt = timeout(self.patience(), self.try_once()).await;
            self.tell_trouble(&attempt);
            match attempt {
                Ok(Ok(Attempt::Held)) => {
                    self.states = None;
                    self.leads_until(begun + self.renew_deadline());
                    sleep(self.election.retry_period.min(self.time_left())).await;
                }
                Ok(Ok(Attempt::Refused)) => {
                    self.lead_no_more();
                    self.follow().await;
                }
                Ok(Ok(Attempt::Spoilt)) => sleep(AGAIN).await,
                Ok(Err(_)) | Err(_) => {
                    // The answer may have been lost, and not the request.
                    self.lease = None;
                    sleep(self.election.retry_period.min(self.time_left())).await;
                }
            }
            if self.time_left().is_zero() {
                self.lead_no_more();
            }
        }
    }

    fn renew_deadline(&self) -> Duration {
        self.election.renew_deadline.min(self.election.lease_duration)
    }

    /// How long to wait for an answer. Twice before the deadline, since a request can get lost.
    fn patience(&self) -> Duration {
        (self.renew_deadline() / 2).min(self.time_left())
    }

    /// For how long this replica may still write; ever so long where it may not at all.
    fn time_left(&self) -> Duration {
        let until = *self.leadership.borrow();
        until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
    }

    fn leads_until(&self, until: Instant) {
        if self.leadership.send_replace(Some(until)).is_none() {
            tracing::info!(lease = %self.election.lease, "this replica writes from now on");
        }
    }

    fn lead_no_more(&self) {
        if self.leadership.send_replace(None).is_some() {
            tracing::warn!(lease = %self.election.lease, "this replica writes no more: it has lost the Lease");
        }
    }

    /// Takes the Lease or renews it, where that may be.
    async fn try_once(&mut self) -> kube::Result<Attempt> {
        if !self.lease.as_ref().is_some_and(|lease| self.is_ours(lease)) {
            self.lease = self.leases.get_opt(self.election.lease.name.as_str()).await?;
        }
        let now = now();
        let spec = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let renews = self.lease.as_ref().is_some_and(|lease| self.is_ours(lease));
        if !renews {
            if self.is_anothers(&spec) {
                return Ok(Attempt::Refused);
            }
            // Before it is written, so that we know it again if the answer is lost.
            self.term = Some(now.clone());
        }
        let mut next = LeaseSpec {
            holder_identity: Some(self.election.identity.clone()),
            lease_duration_seconds: i32::try_from(self.election.lease_duration.as_secs()).ok(),
            renew_time: Some(now),
            ..spec
        };
        if !renews {
            next.acquire_time = self.term.clone();
            let transitions = |_: &Lease| spec.lease_transitions.unwrap_or(0).saturating_add(1);
            next.lease_transitions = Some(self.lease.as_ref().map_or(0, transitions));
        }
        self.write(next).await
    }

    /// Whether this very campaign has taken the Lease. One of our name may be an earlier life's, or
    /// that of a replica with the same name by mistake.
    fn is_ours(&self, lease: &Lease) -> bool {
        let Some(spec) = &lease.spec else { return false };
        spec.holder_identity.as_ref() == Some(&self.election.identity)
            && self.term.is_some()
            && spec.acquire_time == self.term
    }

    /// Whether another holds the Lease. That is judged by when we have last heard something new of
    /// it, not by its times: they are of another's clock.
    fn is_anothers(&mut self, spec: &LeaseSpec) -> bool {
        if spec.holder_identity.as_deref().is_none_or(str::is_empty) {
            return false;
        }
        let now = Instant::now();
        let heard_at = match &self.heard {
            Some((heard, at)) if heard == spec => *at,
            Some(_) | None => {
                self.heard = Some((spec.clone(), now));
                now
            }
        };
        let lasts = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        now < heard_at + lasts.map_or(self.election.lease_duration, Duration::from_secs)
    }

    /// Writes the Lease, unless it has changed since it was read.
    async fn write(&mut self, spec: LeaseSpec) -> kube::Result<Attempt> {
        let name = self.election.lease.name.as_str();
        // From here on it is not known what the Lease says, until the server has answered.
        let written = match self.lease.take() {
            Some(mut lease) => {
                lease.spec = Some(spec);
                match self.leases.replace(name, &PostParams::default(), &lease).await {
                    // Deleted since.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        return Ok(Attempt::Spoilt);
                    }
                    written => written,
                }
            }
            None => {
                let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(spec) };
                self.leases.create(&PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(lease) => {
                self.lease = Some(lease);
                Ok(Attempt::Held)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Spoilt),
            Err(error) => Err(error),
        }
    }

    /// Waits until the Lease is worth another look: for a while, or until it is given up.
    async fn follow(&mut self) {
        let wait = self.election.retry_period.mul_f64(1.0 + fastrand::f64() / 5.0);
        let states = self.states.get_or_insert_with(|| {
            let name = self.election.lease.name.as_str();
            watch_object(self.leases.clone(), name).default_backoff().boxed()
        });
        let given_up = async {
            // Where it cannot be watched, it is looked at now and then all the same.
            while let Some(state) = states.next().await {
                if state.is_ok_and(|lease| lease.as_ref().is_none_or(is_free)) {
                    return;
                }
            }
            std::future::pending().await
        };
        let _ = timeout(wait, given_up).await;
    }

    /// Gives the Lease up, if we have it.
    async fn give_up(&mut self) {
        if self.term.is_none() {
            return;
        }
        let lease = self.election.lease.to_string();
        let attempt = timeout(PATIENCE, async {
            loop {
                match self.try_to_give_up().await {
                    // A renewal that was under way has come in between.
                    Ok(Attempt::Spoilt) => sleep(AGAIN).await,
                    attempt => return attempt,
                }
            }
        });
        match attempt.await {
            Ok(Ok(Attempt::Held)) => {
                tracing::info!(lease, "this replica writes no more: it has given the Lease up")
            }
            Ok(Ok(Attempt::Refused | Attempt::Spoilt)) => {}
            Ok(Err(error)) => tracing::warn!(
                lease,
                error = error_text(&error),
                "cannot give the Lease up; it will run out"
            ),
            Err(_) => tracing::warn!(
                lease,
                "cannot give the Lease up; it will run out: the API server does not answer"
            ),
        }
    }

    async fn try_to_give_up(&mut self) -> kube::Result<Attempt> {
        self.lease = self.leases.get_opt(self.election.lease.name.as_str()).await?;
        let Some(lease) = self.lease.as_ref().filter(|lease| self.is_ours(lease)) else {
            return Ok(Attempt::Refused);
        };
        let now = Some(now());
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            acquire_time: now.clone(),
            renew_time: now,
            ..lease.spec.clone().unwrap_or_default()
        };
        self.write(spec).await
    }

    /// Says once what is the matter, and once that it is over.
    fn tell_trouble(&mut self, attempt: &Result<kube::Result<Attempt>, impl Error>) {
        let lease = &self.election.lease;
        let (trouble, error) = match attempt {
            Ok(Ok(_)) => {
                if self.trouble.take().is_some() {
                    tracing::info!(%lease, "the Lease can be read and written again");
                }
                return;
            }
            Ok(Err(kube::Error::Api(status))) => (Some(status.code), status.message.clone()),
            Ok(Err(error)) => (None, error_text(error)),
            Err(_) => (None, "the API server does not answer".to_owned()),
        };
        if self.trouble.replace(trouble) == Some(trouble) {
            return;
        }
        match trouble {
            Some(403) => tracing::warn!(
                %lease, error,
                "a permission is missing: without get, create and update of this Lease this replica never writes; grant them to its ServiceAccount, or choose another Lease"
            ),
            _ => tracing::warn!(%lease, error, "cannot read or write the Lease; trying again"),
        }
    }
}

/// Whether nobody holds the Lease.
fn is_free(lease: &Lease) -> bool {
    let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
    holder.is_none_or(str::is_empty)
}

/// As precise as a Lease says it, so that it is the same when it comes back.
fn now() -> MicroTime {
    let now = Timestamp::now();
    MicroTime(now.round(Unit::Microsecond).unwrap_or(now))
}
