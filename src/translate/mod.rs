//! From objects to a plan and the status the specification asks for, in one pass over one snapshot.
//!
//! [`translate`] is a function: no I/O, no clock, no randomness, and no way to fail. Bad
//! configuration becomes conditions for its author and rejecting targets in the plan.
//!
//! The files are the passes, in this order:
//!
//! | pass | decides |
//! |---|---|
//! | `class` | which GatewayClasses are ours, and so which Gateways |
//! | `addresses` | where each Gateway lives |
//! | `listeners` | which listeners are valid: protocol, conflicts, kinds (`ports`: between Gateways) |
//! | `attach` | which routes attach to which listeners, and which of several carries the traffic |
//! | `backends` | where each backendRef leads (`grants`: whether it may) |
//! | `report` | the conditions that follow (`verdict`: those of a parentRef) |
//! | `programmed` | the conditions that depend on which listeners could be opened |

mod addresses;
mod attach;
mod backends;
mod class;
mod grants;
mod index;
mod listeners;
mod ports;
mod precedence;
mod programmed;
mod report;
mod say;
mod settings;
mod verdict;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{
    GatewayClassStatus, GatewayStatus, NamespacedName, ObjectKey, ObjectName, Resources,
    RouteStatus,
};
use crate::plan::{BindFailure, ListenerId, Plan};

pub use self::settings::{Controller, Host, SLUICEGATE_CONTROLLER, Settings};

/// What [`translate`] makes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translation {
    /// What to forward.
    pub plan: Plan,
    /// What to say of it, as if every listener of the plan could be opened.
    pub status: StatusReport,
    /// Objects that get no status because nobody here serves them, and why: for people who wonder.
    pub ignored: BTreeMap<ObjectKey, String>,
}

/// The status of every object that gets one.
///
/// A route's entry is its whole `status.parents`: the entries of other controllers are kept as
/// they were, those of ours that no longer hold are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusReport {
    /// By class name.
    pub gateway_classes: BTreeMap<ObjectName, GatewayClassStatus>,
    /// By Gateway.
    pub gateways: BTreeMap<NamespacedName, GatewayStatus>,
    /// By route.
    pub tcp_routes: BTreeMap<NamespacedName, RouteStatus>,
}

/// Compiles a snapshot of objects into a plan and a status.
///
/// The same objects give the same result, in whatever order they came.
///
/// ```
/// use sluicegate::model::Resources;
/// use sluicegate::translate::{Settings, translate};
///
/// let translation = translate(&Resources::new(), &Settings::default());
/// assert!(translation.plan.listeners.is_empty());
/// ```
pub fn translate(resources: &Resources, settings: &Settings) -> Translation {
    let index = index::Index::new(resources);
    let classes = class::Classes::new(&index, &settings.controller);
    let mut gateways = listeners::evaluate(&index, &classes, &settings.host);
    let routes = attach::attach(&index, &classes, &mut gateways);
    let (plan, mut status) = report::report(&index, &classes, &gateways, &routes);
    programmed::program(&mut status, &plan, &BTreeMap::new());
    let ignored = report::ignored(&index, &classes, &routes);
    Translation { plan, status, ignored }
}

impl Translation {
    /// The status, given which of the plan's listeners could not be opened.
    pub fn status_with(&self, failures: &BTreeMap<ListenerId, Vec<BindFailure>>) -> StatusReport {
        let mut status = self.status.clone();
        programmed::program(&mut status, &self.plan, failures);
        status
    }
}
