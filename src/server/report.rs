//! Reports on the state of a gateway.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::{ObjectKey, Resources, StatusReport, UnservedKey};
use crate::plan::{BindError, DialAddress, ListenerId, Plan};
use crate::translate::{Translation, Unmanaged};

/// The state of a gateway. All parts come from one pass over the same objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The objects of all sources.
    pub resources: Arc<Resources>,
    /// The listeners of the plan.
    pub listeners: BTreeMap<ListenerId, ListenerReport>,
    /// The status of the objects.
    pub status: Arc<StatusReport>,
    /// Objects that get no status because this gateway does not manage them, and the reason.
    pub unmanaged: BTreeMap<ObjectKey, Unmanaged>,
    /// Objects without effect: their kind is not served, but they refer to an object of this
    /// gateway, the value.
    pub unserved: BTreeMap<UnservedKey, ObjectKey>,
    /// Problems that a person has to correct, such as a document that cannot be read.
    pub problems: Vec<String>,
    /// The names of the sources that have failed. Their last objects stay in use, but they receive
    /// no more updates: a program without another source should restart.
    pub failed: Vec<String>,
}

/// The state of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerReport {
    /// The bound addresses.
    pub bound: Vec<SocketAddr>,
    /// The addresses that clients use.
    pub advertised: Vec<DialAddress>,
    /// The addresses that could not be opened. The gateway retries them.
    pub bind_errors: Vec<BindError>,
}

impl Report {
    pub(super) fn new(
        resources: Arc<Resources>,
        translation: &Translation,
        bound: &BTreeMap<ListenerId, Vec<SocketAddr>>,
        bind_errors: &BTreeMap<ListenerId, Vec<BindError>>,
        problems: Vec<String>,
        failed: Vec<String>,
    ) -> Self {
        Self {
            resources,
            listeners: report_listeners(&translation.plan, bound, bind_errors),
            status: translation.status.clone(),
            unmanaged: translation.unmanaged.clone(),
            unserved: translation.unserved.clone(),
            problems,
            failed,
        }
    }

    /// Returns the problems that the other report does not contain.
    pub(super) fn problems_not_in<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = &'a String> {
        let known: HashSet<_> = other.problems.iter().collect();
        self.problems.iter().filter(move |problem| !known.contains(*problem))
    }
}

fn report_listeners(
    plan: &Plan,
    bound: &BTreeMap<ListenerId, Vec<SocketAddr>>,
    bind_errors: &BTreeMap<ListenerId, Vec<BindError>>,
) -> BTreeMap<ListenerId, ListenerReport> {
    let report = |id: &ListenerId| {
        let bind_errors = bind_errors.get(id).cloned().unwrap_or_default();
        let addresses = plan.listeners[id].addresses.iter();
        ListenerReport {
            bound: bound.get(id).cloned().unwrap_or_default(),
            advertised: addresses
                .filter(|address| address.is_open(&bind_errors))
                .filter_map(|address| address.advertised.clone())
                .collect(),
            bind_errors,
        }
    };
    plan.listeners.keys().map(|id| (id.clone(), report(id))).collect()
}
