//! Elections against a small API server that keeps one Lease, in time that passes at will.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep, timeout};
use tower::BoxError;

use super::{Election, LeaseHandle, campaign::campaign};

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/edge/leases/sluicegate";

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// What the API server does with requests.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Good,
    /// Connections are refused.
    Gone,
    /// Requests are never answered.
    Mute,
    /// It refuses to write.
    Forbidding,
    /// It takes its time, and loses requests and answers, by chance.
    Moody,
}

/// The API server.
struct Api {
    lease: watch::Sender<Option<Lease>>,
    /// Towards each of its clients.
    moods: Mutex<Vec<Mood>>,
    can_watch: bool,
    requests: Mutex<Vec<String>>,
    version: Mutex<u64>,
}

impl Api {
    fn new(can_watch: bool) -> Arc<Self> {
        Arc::new(Self {
            lease: watch::Sender::new(None),
            moods: Mutex::default(),
            can_watch,
            requests: Mutex::default(),
            version: Mutex::default(),
        })
    }

    fn client(self: &Arc<Self>) -> Client {
        let api = self.clone();
        let mut moods = self.moods.lock().unwrap();
        let place = moods.len();
        moods.push(Mood::Good);
        let service = tower::service_fn(move |request| {
            let api = api.clone();
            async move {
                let mood = api.moods.lock().unwrap()[place];
                api.answer(mood, request).await
            }
        });
        Client::new(service, "default")
    }

    fn set(&self, mood: Mood) {
        self.moods.lock().unwrap().fill(mood);
    }

    fn spec(&self) -> LeaseSpec {
        self.lease.borrow().as_ref().unwrap().spec.clone().unwrap()
    }

    fn holder(&self) -> String {
        self.spec().holder_identity.unwrap()
    }

    /// Writes the Lease as somebody else would.
    fn put(&self, spec: Value) {
        let mut lease: Lease =
            serde_json::from_value(json!({"metadata": {"name": "sluicegate"}, "spec": spec}))
                .unwrap();
        self.store(&mut lease);
    }

    fn store(&self, lease: &mut Lease) {
        let mut version = self.version.lock().unwrap();
        *version += 1;
        lease.metadata.resource_version = Some(version.to_string());
        lease.metadata.namespace = Some("edge".to_owned());
        self.lease.send_replace(Some(lease.clone()));
    }

    async fn answer(&self, mood: Mood, request: Request<Body>) -> Result<Answer, BoxError> {
        match mood {
            Mood::Good | Mood::Forbidding => sleep(Duration::from_millis(3)).await,
            Mood::Gone => return Err("connection refused".into()),
            Mood::Mute => std::future::pending().await,
            Mood::Moody => {
                sleep(Duration::from_millis(fastrand::u64(0..4_000))).await;
                if fastrand::u8(0..4) == 0 {
                    return Err("connection reset".into());
                }
            }
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let query = head.uri.query().unwrap_or_default();
        self.requests.lock().unwrap().push(format!("{} {}", head.method, head.uri.path()));
        let answer = match head.method {
            Method::GET if head.uri.path() == LEASE => match &*self.lease.borrow() {
                Some(lease) => ok(lease),
                None => failure(404, "leases.coordination.k8s.io \"sluicegate\" not found"),
            },
            Method::GET if !self.can_watch => failure(403, "cannot watch leases"),
            Method::GET if query.contains("watch") => self.watch(),
            Method::GET => {
                let version = self.version.lock().unwrap().to_string();
                let items: Vec<_> = self.lease.borrow().iter().cloned().collect();
                ok(&json!({
                    "apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList",
                    "metadata": {"resourceVersion": version}, "items": items,
                }))
            }
            _ if mood == Mood::Forbidding => failure(403, "cannot update leases"),
            Method::POST | Method::PUT => self.write(&head.method, &body),
            _ => failure(405, "what?"),
        };
        if mood == Mood::Moody {
            sleep(Duration::from_millis(fastrand::u64(0..4_000))).await;
            if fastrand::u8(0..4) == 0 {
                return Err("connection reset".into());
            }
        }
        Ok(answer)
    }

    fn write(&self, method: &Method, body: &[u8]) -> Answer {
        let mut lease: Lease = serde_json::from_slice(body).unwrap();
        let known = self.lease.borrow().clone();
        match (method == Method::POST, known) {
            (true, Some(_)) => failure(409, "already exists"),
            (false, None) => failure(404, "not found"),
            (false, Some(known))
                if known.metadata.resource_version != lease.metadata.resource_version =>
            {
                failure(409, "the object has been modified")
            }
            _ => {
                self.store(&mut lease);
                ok(&lease)
            }
        }
    }

    fn watch(&self) -> Answer {
        let mut changes = self.lease.subscribe();
        changes.mark_unchanged();
        let events = stream::unfold(changes, async |mut changes| {
            changes.changed().await.ok()?;
            let lease = changes.borrow_and_update().clone();
            let event = format!("{}\n", json!({"type": "MODIFIED", "object": lease}));
            Some((Ok::<_, BoxError>(Frame::data(Bytes::from(event))), changes))
        });
        Response::new(StreamBody::new(events).boxed_unsync())
    }
}

fn ok(object: &impl serde::Serialize) -> Answer {
    Response::new(whole(object))
}

fn failure(code: u16, message: &str) -> Answer {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        _ => "Conflict",
    };
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    Response::builder().status(code).body(whole(&status)).unwrap()
}

fn whole(object: &impl serde::Serialize) -> UnsyncBoxBody<Bytes, BoxError> {
    Full::from(serde_json::to_vec(object).unwrap()).map_err(|never| match never {}).boxed_unsync()
}

/// A replica in a campaign.
struct Replica {
    leadership: watch::Receiver<Option<Instant>>,
    resigner: LeaseHandle,
    campaign: JoinHandle<()>,
}

impl Replica {
    fn new(api: &Arc<Api>, identity: &str) -> Self {
        let election = Election::new("edge/sluicegate".parse().unwrap(), identity);
        let (sender, leadership) = watch::channel(None);
        let resigner = election.resigner();
        let campaign = tokio::spawn(campaign(api.client(), election, sender));
        Self { leadership, resigner, campaign }
    }

    fn may_write(&self) -> bool {
        self.leadership.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// How long it takes until the replica leads.
    async fn leads(&mut self) -> Duration {
        let begun = Instant::now();
        let led = self.leadership.wait_for(Option::is_some);
        timeout(Duration::from_secs(60), led).await.expect("it leads").unwrap();
        begun.elapsed()
    }
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_missing_is_created() {
    let api = Api::new(true);
    let mut replica = Replica::new(&api, "a");
    assert!(replica.leads().await < Duration::from_secs(1));
    let spec = api.spec();
    assert_eq!(spec.holder_identity.as_deref(), Some("a"));
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(0)));
    assert_eq!(spec.acquire_time, spec.renew_time);

    // It is renewed, and remains the same term.
    seconds(60).await;
    assert!(replica.may_write());
    assert_eq!(api.spec().acquire_time, spec.acquire_time);
    assert_eq!(api.spec().lease_transitions, Some(0));
    let writes = api.requests.lock().unwrap().iter().filter(|it| it.starts_with("PUT")).count();
    assert!((25..=30).contains(&writes), "{writes} renewals in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_live_holder_keeps_the_lease() {
    let api = Api::new(true);
    let mut first = Replica::new(&api, "a");
    first.leads().await;
    let second = Replica::new(&api, "b");
    for _ in 0..60 {
        seconds(1).await;
        assert!(first.may_write() && !second.may_write());
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_loses_the_lease_when_it_has_run_out() {
    // Whatever the time it says: its clock is not ours.
    for time in ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"] {
        let api = Api::new(false);
        api.put(json!({
            "holderIdentity": "dead", "leaseDurationSeconds": 30, "leaseTransitions": 4,
            "acquireTime": time, "renewTime": time,
        }));
        let mut replica = Replica::new(&api, "a");
        let took = replica.leads().await;
        assert!((30..=33).contains(&took.as_secs()), "{took:?}");
        assert_eq!((api.holder().as_str(), api.spec().lease_transitions), ("a", Some(5)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_life_counts_as_another_holder() {
    let api = Api::new(true);
    let mut first = Replica::new(&api, "a");
    first.leads().await;
    first.campaign.abort();
    let mut second = Replica::new(&api, "a");
    assert!(second.leads().await >= Duration::from_secs(15));
    assert_eq!(api.spec().lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_writing_before_another_begins() {
    for mood in [Mood::Gone, Mood::Mute, Mood::Forbidding] {
        let api = Api::new(true);
        let mut replica = Replica::new(&api, "a");
        replica.leads().await;
        seconds(5).await;
        let renewed = Instant::now();
        api.set(mood);
        seconds(7).await;
        assert!(replica.may_write(), "there is time left");
        let lost = replica.leadership.wait_for(Option::is_none);
        timeout(Duration::from_secs(60), lost).await.expect("it loses").unwrap();
        assert!(renewed.elapsed() <= Duration::from_secs(10), "{:?}", renewed.elapsed());

        // Nobody has taken it meanwhile.
        api.set(Mood::Good);
        assert!(replica.leads().await < Duration::from_secs(8));
        assert_eq!(api.spec().lease_transitions, Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_edit_costs_nothing() {
    let api = Api::new(true);
    let mut replica = Replica::new(&api, "a");
    replica.leads().await;
    for _ in 0..10 {
        let mut lease = api.lease.borrow().clone().unwrap();
        lease.metadata.labels = Some([("team".to_owned(), "edge".to_owned())].into());
        api.store(&mut lease);
        seconds(3).await;
        assert!(replica.may_write());
    }
    let labels = api.lease.borrow().clone().unwrap().metadata.labels.unwrap();
    assert_eq!(labels["team"], "edge");

    // Nor does it matter if the Lease is deleted.
    api.lease.send_replace(None);
    seconds(3).await;
    assert!(replica.may_write());
    assert_eq!(api.holder(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_taken_away_ends_the_writing_at_once() {
    let api = Api::new(true);
    let mut replica = Replica::new(&api, "a");
    replica.leads().await;
    api.put(json!({"holderIdentity": "b", "leaseDurationSeconds": 15}));
    seconds(3).await;
    assert!(!replica.may_write());
    assert_eq!(api.holder(), "b");
}

#[tokio::test(start_paused = true)]
async fn who_resigns_is_followed_at_once() {
    for can_watch in [true, false] {
        let api = Api::new(can_watch);
        let mut first = Replica::new(&api, "a");
        first.leads().await;
        let mut second = Replica::new(&api, "b");
        seconds(20).await;

        let begun = Instant::now();
        first.resigner.resign().await;
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
        assert!(!first.may_write());
        assert_eq!(api.spec().lease_transitions, Some(0));
        let limit = if can_watch { 1_000 } else { 2_500 };
        assert!(second.leads().await < Duration::from_millis(limit));
        assert_eq!((api.holder().as_str(), api.spec().lease_transitions), ("b", Some(1)));

        // It does not stand again.
        first.campaign.await.unwrap();
        second.resigner.resign().await;
        seconds(60).await;
        assert_eq!(api.holder(), "");
        first.resigner.resign().await;
    }
}

#[tokio::test(start_paused = true)]
async fn resigning_waits_for_nobody_for_long() {
    let api = Api::new(true);
    let mut replica = Replica::new(&api, "a");
    replica.leads().await;
    api.set(Mood::Mute);
    let begun = Instant::now();
    replica.resigner.resign().await;
    assert!(!replica.may_write());
    assert!(begun.elapsed() <= Duration::from_millis(2_100), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_has_resigned_before_never_stands() {
    let api = Api::new(true);
    let election = Election::new("edge/sluicegate".parse().unwrap(), "a");
    election.resigner().resign().await;
    campaign(api.client(), election, watch::Sender::new(None)).await;
    assert!(api.lease.borrow().is_none());
}

/// Whatever goes wrong, and for whomever: never two at once, and not nobody for ever.
#[tokio::test(start_paused = true)]
async fn two_never_lead_at_the_same_time() {
    for seed in 0..6 {
        fastrand::seed(seed);
        let api = Api::new(seed % 2 == 0);
        // One of them has an unlucky namesake.
        let replicas =
            [("a", &api), ("b", &api), ("b", &api)].map(|(name, api)| Replica::new(api, name));
        let mut led = 0;
        for step in 0..3_000 {
            if step % 200 == 0 {
                let moods = [Mood::Good, Mood::Moody, Mood::Moody, Mood::Gone, Mood::Mute];
                let one = || moods[fastrand::usize(..moods.len())];
                api.moods.lock().unwrap().fill_with(one);
            }
            advance(Duration::from_millis(100)).await;
            tokio::task::yield_now().await;
            let leaders: Vec<_> = (0..3).filter(|&it| replicas[it].may_write()).collect();
            assert!(leaders.len() <= 1, "seed {seed}: {leaders:?} lead after {step} steps");
            led += leaders.len();
        }
        assert!(led > 150, "seed {seed}: somebody led in {led} of 3000 steps only");
    }
}
