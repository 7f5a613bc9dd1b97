//! Who writes, and when: the loop around [`Aim::work`].

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::pending;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep_until};

use super::difference::{differences, differing};
use super::pen::Pen;
use super::request::{self, Answer, BaseVersion};
use super::schedule::Schedule;
use super::work::{Aim, Work};
use crate::model::{Condition, GatewayController, ObjectKey, ObjectKind};
use crate::sources::StatusUpdate;
use crate::sources::kube::active_errors::ActiveErrors;
use crate::sources::kube::cluster::Cluster;
use crate::sources::kube::events::Events;
use crate::sources::kube::object::has_status;
use crate::sources::kube::operation::Operation;
use crate::sources::kube::served::Served;
use crate::sources::kube::services::{ServiceTemplate, Wanted, wanted};

/// Writes under way at one moment.
const AT_ONCE: usize = 16;

pub(in super::super) struct Writer {
    client: Client,
    controller: GatewayController,
    pen: Pen,
    events: Events,
    schedule: Schedule,
    /// What there is to say; nothing before the first snapshot was looked at.
    said: Option<StatusUpdate>,
    version: Option<Condition>,
    services: Option<ServiceTemplate>,
    /// What Gateways need in the cluster.
    wanted: BTreeMap<ObjectKey, Wanted>,
    writing: BTreeSet<ObjectKey>,
    requests: FuturesUnordered<BoxFuture<'static, Box<Written>>>,
    errors: ActiveErrors,
    /// The object on which each operation failed first.
    blamed: BTreeMap<Operation, ObjectKey>,
    sees_all: bool,
    /// Whether we might write when we last looked.
    had_pen: bool,
}

/// Something to do.
#[derive(Debug)]
pub(in super::super) enum Step {
    /// An object's turn has come.
    Turn,
    /// A write has ended.
    Written(Box<Written>),
    /// We may write now, or no longer.
    HandedOver,
}

/// A write that has ended.
#[derive(Debug)]
pub(in super::super) struct Written {
    key: ObjectKey,
    work: Work,
    answer: Answer,
}

impl Writer {
    pub(in super::super) fn new(
        client: Client,
        controller: GatewayController,
        pen: Pen,
        events: Events,
        services: Option<ServiceTemplate>,
        sees_all: bool,
    ) -> Self {
        Self {
            client,
            controller,
            pen,
            events,
            schedule: Schedule::new(Instant::now()),
            said: None,
            version: None,
            services,
            wanted: BTreeMap::new(),
            writing: BTreeSet::new(),
            requests: FuturesUnordered::new(),
            errors: ActiveErrors::default(),
            blamed: BTreeMap::new(),
            sees_all,
            had_pen: false,
        }
    }

    /// Has an object looked at.
    pub(in super::super) fn touch(&mut self, key: &ObjectKey, cluster: &Cluster) {
        let may_be_kept = || {
            self.wanted.contains_key(key)
                || cluster.live(key).is_some_and(|live| live.whole.is_some())
        };
        if !matches!(self.pen, Pen::Nobody) && (has_status(key.kind) || may_be_kept()) {
            self.schedule.touch(key.clone(), Instant::now());
        }
    }

    /// Takes what there is to say from now on.
    pub(in super::super) fn say(&mut self, said: StatusUpdate, cluster: &Cluster) {
        let wanted = self
            .services
            .as_ref()
            .map(|template| wanted(cluster.resources(), &said.status, template, &self.wanted));
        let before = std::mem::replace(&mut self.wanted, wanted.unwrap_or_default());
        let mut changed = BTreeSet::new();
        differing(&before, &self.wanted, |key| {
            changed.insert(key.clone());
        });
        match &self.said {
            None => self.touch_all(cluster),
            Some(before) => differences(before, &said, &mut changed),
        }
        self.said = Some(said);
        if self.services.is_some() {
            // What is left over may go only when what takes its place is there.
            let left = cluster.owned().filter(|key| !self.wanted.contains_key(*key));
            changed.extend(left.cloned());
        }
        changed.iter().for_each(|key| self.touch(key, cluster));
    }

    /// Takes what is to be said of the version of the installed definitions.
    pub(in super::super) fn version(&mut self, version: Condition, cluster: &Cluster) {
        if self.version.as_ref() != Some(&version) {
            self.version = Some(version);
            cluster.keys_of(ObjectKind::GatewayClass).for_each(|key| self.touch(key, cluster));
        }
    }

    fn touch_all(&mut self, cluster: &Cluster) {
        let wanted: Vec<_> = self.wanted.keys().cloned().collect();
        cluster.keys().chain(&wanted).for_each(|key| self.touch(key, cluster));
    }

    /// Waits until there is something to do; [`proceed`](Self::proceed) does it.
    ///
    /// # Cancel safety
    /// Cancel safe: a step is taken off its list only when it is returned.
    pub(in super::super) async fn next(&mut self) -> Step {
        loop {
            let may_write = self.pen.may_write();
            if may_write != self.had_pen {
                return Step::HandedOver;
            }
            let is_free = self.said.is_some() && self.requests.len() < AT_ONCE;
            let turn = self.schedule.next().filter(|_| is_free && may_write);
            let turn = async {
                match turn {
                    Some(turn) => sleep_until(turn).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                Some(written) = self.requests.next() => return Step::Written(written),
                () = turn => return Step::Turn,
                () = self.pen.changed() => {}
            }
        }
    }

    /// Does what a step asks for. Whether anything in the snapshot is different now.
    pub(in super::super) fn proceed(
        &mut self,
        step: Step,
        cluster: &mut Cluster,
        served: &BTreeMap<ObjectKind, Served>,
    ) -> bool {
        match step {
            Step::HandedOver => {
                self.had_pen = self.pen.may_write();
                if self.had_pen {
                    // Whatever another replica has written is compared with what we have to say.
                    self.touch_all(cluster);
                } else {
                    self.requests.clear();
                    self.writing.clear();
                }
            }
            Step::Turn => self.start(cluster, served),
            Step::Written(written) => return self.finish(*written, cluster),
        }
        false
    }

    /// Starts the writes whose turn has come.
    fn start(&mut self, cluster: &Cluster, served: &BTreeMap<ObjectKind, Served>) {
        let Some(said) = &self.said else { return };
        let (controller, version) = (&self.controller, self.version.as_ref());
        let wanted = &self.wanted;
        let aim = Aim { cluster, said, controller, version, wanted, sees_all: self.sees_all };
        while self.requests.len() < AT_ONCE && self.pen.may_write() {
            let Some(key) = self.schedule.pop(Instant::now()) else { return };
            // It is looked at again when that write has ended.
            if self.writing.contains(&key) {
                continue;
            }
            let Some(Served { resource, .. }) = served.get(&key.kind) else { continue };
            let Some(work) = aim.work(&key, Timestamp::now()) else {
                self.schedule.settle(&key);
                self.blamed.retain(|_, blamed| *blamed != key);
                continue;
            };
            self.schedule.spend();
            self.writing.insert(key.clone());
            let base = cluster.live(&key).map(BaseVersion::from);
            let (client, resource) = (self.client.clone(), resource.clone());
            let deadline = self.pen.deadline();
            self.requests.push(Box::pin(async move {
                let sent = request::send(&client, &resource, &key, &work, base.as_ref(), deadline);
                Box::new(Written { answer: sent.await, key, work })
            }));
        }
    }

    fn finish(&mut self, written: Written, cluster: &mut Cluster) -> bool {
        let Written { key, work, answer } = written;
        let now = Instant::now();
        self.writing.remove(&key);
        let seen = match answer {
            Answer::Written(seen) => {
                self.schedule.written(key.clone(), now);
                self.succeeded(&key, &work);
                if let Work::Status { before, status } = &work {
                    self.events.tell(&key, cluster.live(&key), before, status);
                }
                seen
            }
            Answer::Conflict(seen) => {
                self.schedule.written(key.clone(), now);
                seen
            }
            Answer::Gone => {
                self.schedule.failed(key, now);
                return false;
            }
            Answer::Failed(error) if self.gives_up_node_ports(&key, &error) => None,
            Answer::Failed(error) => return self.failed(key, &work, &error),
            Answer::TimedOut(elapsed) => return self.failed(key, &work, &elapsed),
        };
        // Once more: there may be something new to say, or something else to write.
        self.schedule.touch(key, now);
        seen.is_some_and(|seen| cluster.update(seen))
    }

    fn succeeded(&mut self, key: &ObjectKey, work: &Work) {
        let operation = Operation::Write(work.kind(), key.kind);
        if self.blamed.get(&operation) == Some(key) {
            self.blamed.remove(&operation);
            self.errors.resolve(&operation);
        }
    }

    fn failed(&mut self, key: ObjectKey, work: &Work, error: &(dyn Error + 'static)) -> bool {
        let operation = Operation::Write(work.kind(), key.kind);
        // Of many objects that fail alike one will do. Where somebody else may write now, it is no
        // longer for us to do.
        if self.pen.may_write()
            && *self.blamed.entry(operation.clone()).or_insert_with(|| key.clone()) == key
            && let Some(message) = self.errors.report(operation, error)
        {
            tracing::warn!("{message}");
        }
        self.schedule.failed(key, Instant::now());
        false
    }

    /// Whether a Service was refused that asked for ports on the nodes.
    fn gives_up_node_ports(&mut self, key: &ObjectKey, error: &kube::Error) -> bool {
        matches!(error, kube::Error::Api(status) if status.is_invalid())
            && self.wanted.get_mut(key).is_some_and(Wanted::give_up_node_ports)
    }
}
