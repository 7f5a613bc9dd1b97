//! What a gateway says of itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::forward::Bindings;
use crate::model::StatusReport;
use crate::model::{ObjectKey, Resources};
use crate::plan::{BindError, DialAddress, ListenerId, Plan};
use crate::translate::Translation;

/// The state of a gateway at one moment, all parts from one pass over the same objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The objects it is about.
    pub resources: Arc<Resources>,
    /// The listeners it should have open.
    pub listeners: BTreeMap<ListenerId, ListenerReport>,
    /// What is said of the objects.
    pub status: Arc<StatusReport>,
    /// Objects that are left alone, and why.
    pub unmanaged: BTreeMap<ObjectKey, String>,
    /// What a person should mend in the input of the sources.
    pub problems: Vec<String>,
    /// The sources that have failed, by name. What they said last stays in force, but they follow
    /// nothing any more: a program that has no other source had better start anew.
    pub failed: Vec<String>,
}

/// The state of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerReport {
    /// The addresses that are bound.
    pub bound: Vec<SocketAddr>,
    /// The addresses to dial.
    pub advertised: Vec<DialAddress>,
    /// The addresses that could not be opened; they are tried again.
    pub failures: Vec<BindError>,
}

impl Report {
    pub(super) fn new(
        resources: Arc<Resources>,
        translation: &Translation,
        bindings: &Bindings,
        problems: Vec<String>,
        failed: Vec<String>,
    ) -> Self {
        Self {
            resources,
            listeners: listeners(&translation.plan, bindings),
            status: translation.status_with(&bindings.failures),
            unmanaged: translation.unmanaged.clone(),
            problems,
            failed,
        }
    }
}

fn listeners(plan: &Plan, bindings: &Bindings) -> BTreeMap<ListenerId, ListenerReport> {
    let report = |id: &ListenerId| {
        let failures = bindings.failures.get(id).cloned().unwrap_or_default();
        let is_open = |bind: SocketAddr| failures.iter().all(|failure| failure.address != bind);
        let addresses = plan.listeners[id].addresses.iter();
        ListenerReport {
            bound: bindings.bound.get(id).cloned().unwrap_or_default(),
            advertised: addresses
                .filter(|address| is_open(address.bind))
                .filter_map(|address| address.advertised.clone())
                .collect(),
            failures,
        }
    };
    plan.listeners.keys().map(|id| (id.clone(), report(id))).collect()
}
