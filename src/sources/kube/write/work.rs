//! What is to be written of an object, if anything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::merge::{Desired, merge};
use crate::model::{
    Condition, GatewayClassStatus, GatewayController, NamespacedName, ObjectKey, ObjectKind,
    ObjectName, Resources,
};
use crate::sources::StatusUpdate;
use crate::sources::kube::cluster::Cluster;
use crate::sources::kube::object::{Live, has_status};
use crate::sources::kube::operation::WriteKind;
use crate::sources::kube::services::{Wanted, is_left_over};

/// [Keeps](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclass) a GatewayClass from being
/// deleted under its Gateways.
const CLASS_FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

/// A change to be made to an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Work {
    /// Its status is to be this, and was that.
    Status { before: Value, status: Value },
    /// These are to be its finalizers.
    Finalizers(Vec<String>),
    /// It is to be made.
    Create(Value),
    /// It is to be like this.
    Replace(Value),
    /// It is to be no more.
    Delete,
}

/// What everything is compared with.
#[derive(Debug)]
pub(super) struct Aim<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) said: &'a StatusUpdate,
    pub(super) controller: &'a GatewayController,
    /// What is said of the version of the installed definitions.
    pub(super) version: Option<&'a Condition>,
    /// What Gateways need in the cluster.
    pub(super) wanted: &'a BTreeMap<ObjectKey, Wanted>,
    /// Whether the Gateways of all namespaces are known.
    pub(super) sees_all: bool,
}

impl Aim<'_> {
    /// What is to be done about an object.
    pub(super) fn work(&self, key: &ObjectKey, now: Timestamp) -> Option<Work> {
        let live = self.cluster.live(key);
        if !has_status(key.kind) {
            return self.keep(key, live);
        }
        self.status(key, live?, now).or_else(|| self.finalizers(key, live?))
    }

    /// What Gateways need is made, put right, or taken away; what is somebody else's is left alone.
    fn keep(&self, key: &ObjectKey, live: Option<&Live>) -> Option<Work> {
        let wanted = self.wanted.get(key);
        let Some(live) = live else { return wanted?.corrected(None).map(Work::Create) };
        let before: Value = serde_json::from_str(live.whole.as_deref()?).ok()?;
        match wanted {
            Some(wanted) => {
                let after = wanted.corrected(Some(&before))?;
                (after != before).then_some(Work::Replace(after))
            }
            None => {
                let (resources, report) = (self.cluster.resources(), &self.said.status);
                let is_left_over = is_left_over(&before, key, resources, report, self.wanted);
                (is_left_over && !live.is_being_deleted).then_some(Work::Delete)
            }
        }
    }

    fn status(&self, key: &ObjectKey, live: &Live, now: Timestamp) -> Option<Work> {
        // What is said of another state of the object will soon be said of this one.
        if self.said.resources.get(key) != self.cluster.resources().get(key) {
            return None;
        }
        let report = &self.said.status;
        let write = |desired| self.write_status(live, desired, now);
        match key.kind {
            ObjectKind::GatewayClass => {
                write(Desired::GatewayClass(&self.class_status(&key.name)?))
            }
            ObjectKind::Gateway => write(Desired::Gateway(report.gateways.get(&name(key)?)?)),
            ObjectKind::TcpRoute => match report.tcp_routes.get(&name(key)?) {
                Some(route) => write(Desired::TcpRoute(&route.parents)),
                // What we once said of it no longer holds.
                None if live.status.contains(self.controller.as_str()) => {
                    write(Desired::TcpRoute(&[]))
                }
                None => None,
            },
            _ => None,
        }
    }

    /// Returns the status of a GatewayClass: what translation reports, and the condition about the
    /// installed version of Gateway API.
    fn class_status(&self, name: &ObjectName) -> Option<GatewayClassStatus> {
        let mut status = self.said.status.gateway_classes.get(name)?.clone();
        let class = self.said.resources.gateway_classes.get(name)?;
        let version = self.version.cloned().map(|condition| Condition {
            observed_generation: class.metadata.generation,
            ..condition
        });
        status.conditions.extend(version);
        Some(status)
    }

    fn write_status(&self, live: &Live, desired: Desired<'_>, now: Timestamp) -> Option<Work> {
        let before: Value = serde_json::from_str(&live.status).unwrap_or_default();
        let status = merge(&before, desired, self.controller, now);
        (status != before).then_some(Work::Status { before, status })
    }

    fn finalizers(&self, key: &ObjectKey, live: &Live) -> Option<Work> {
        // Whoever sees only some namespaces does not know whether the class is used in others.
        let is_ours = key.kind == ObjectKind::GatewayClass
            && self.sees_all
            && self.said.status.gateway_classes.contains_key(&key.name);
        let is_used = is_ours && is_class_used(self.cluster.resources(), key);
        let is_there = live.finalizers.iter().any(|finalizer| finalizer == CLASS_FINALIZER);
        if !is_ours || is_used == is_there || (is_used && live.is_being_deleted) {
            return None;
        }
        let mut finalizers = live.finalizers.clone();
        match is_used {
            true => finalizers.push(CLASS_FINALIZER.to_owned()),
            false => finalizers.retain(|finalizer| finalizer != CLASS_FINALIZER),
        }
        Some(Work::Finalizers(finalizers))
    }
}

impl Work {
    /// Returns the kind of write.
    pub(super) fn kind(&self) -> WriteKind {
        match self {
            Self::Status { .. } => WriteKind::Status,
            Self::Finalizers(_) => WriteKind::Finalizers,
            Self::Create(_) => WriteKind::Create,
            Self::Replace(_) => WriteKind::Update,
            Self::Delete => WriteKind::Delete,
        }
    }
}

fn is_class_used(resources: &Resources, class: &ObjectKey) -> bool {
    resources.gateways.values().any(|gateway| gateway.spec.gateway_class_name == class.name)
}

fn name(key: &ObjectKey) -> Option<NamespacedName> {
    Some(NamespacedName { namespace: key.namespace.clone()?, name: key.name.clone() })
}
