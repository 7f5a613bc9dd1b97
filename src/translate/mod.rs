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
//! | `listeners` | which listeners are valid: protocol, conflicts, kinds (`ports`: between Gateways) |
//! | `homes` | where each Gateway lives (`addresses`: on the host; `pool`; `services`) |
//! | `attach` | which routes attach to which listeners, and which of several carries the traffic |
//! | `backends` | where each backendRef leads (`grants`: whether it may) |
//! | `compile` | the plan that follows |
//! | `report` | the conditions that follow (`verdict`: those of a parentRef) |
//! | `programmed` | the conditions that depend on which listeners could be opened |

mod addresses;
mod attach;
mod backends;
mod class;
mod compile;
mod grants;
mod homes;
mod index;
mod listeners;
mod pool;
mod ports;
mod precedence;
mod programmed;
mod ranges;
mod report;
mod say;
mod services;
mod settings;
mod verdict;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use self::addresses::Remarks;
use self::attach::AttachedRoute;
use self::class::Classes;
use self::index::Index;
use self::listeners::EvaluatedGateway;
use crate::model::{NamespacedName, ObjectKey, PortNumber, Resources, StatusReport};
use crate::plan::{BindError, ListenerId, Plan};

pub use self::ranges::Ranges;
pub use self::settings::{Addresses, Controller, History, Host, Settings};
#[cfg(feature = "kube")]
pub(crate) use self::verdict::IS_SHADOWED;

/// What [`translate`] makes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translation {
    /// What to forward.
    pub plan: Plan,
    /// What to say of it, as if every listener of the plan could be opened.
    pub status: Arc<StatusReport>,
    /// Objects that get no status because nobody here serves them, and why: for people who wonder.
    pub unmanaged: BTreeMap<ObjectKey, String>,
    /// What else the status tells of the addresses of Gateways.
    remarks: BTreeMap<NamespacedName, Remarks>,
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
    evaluate(resources, settings).finish()
}

/// A translation under way: its plan is there, its status is yet to be told.
///
/// Half of the work is telling the status. Whoever runs the plan need not wait for that, and both
/// still come from the same pass.
#[derive(Debug)]
pub struct Evaluation<'a> {
    index: Index<'a>,
    classes: Classes<'a>,
    gateways: Vec<EvaluatedGateway<'a>>,
    routes: Vec<AttachedRoute<'a>>,
    plan: Plan,
    settings: &'a Settings,
}

/// Begins a [`translate`], as far as the plan.
///
/// ```
/// use sluicegate::model::Resources;
/// use sluicegate::translate::{Settings, evaluate, translate};
///
/// let (resources, settings) = (Resources::new(), Settings::default());
/// let evaluation = evaluate(&resources, &settings);
/// assert!(evaluation.plan().listeners.is_empty());
/// assert_eq!(evaluation.finish(), translate(&resources, &settings));
/// ```
pub fn evaluate<'a>(resources: &'a Resources, settings: &'a Settings) -> Evaluation<'a> {
    let index = Index::new(resources);
    let classes = Classes::new(&index, &settings.controller);
    let mut gateways = listeners::evaluate(&index, &classes, settings);
    let mut routes = attach::attach(&index, &classes, &mut gateways);
    let plan = compile::compile(&index, &gateways, &mut routes);
    Evaluation { index, classes, gateways, routes, plan, settings }
}

impl Evaluation<'_> {
    /// What to forward.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Which addresses of the pool each Gateway has, to be told to the next translation
    /// ([`History::held`]); nothing where there is no pool.
    pub fn held(&self) -> BTreeMap<NamespacedName, Vec<IpAddr>> {
        let has_pool = matches!(self.settings.addresses, Addresses::Pool(_));
        let homes = self.gateways.iter().filter(|_| has_pool).filter_map(|gateway| {
            let home = gateway.home.as_ref().ok()?;
            Some((gateway.name.clone(), home.addresses()))
        });
        homes.filter(|(_, addresses)| !addresses.is_empty()).collect()
    }

    /// Whose which port behind a Service is, to be told to the next translation
    /// ([`History::pod_ports`]).
    pub fn pod_ports(&self) -> BTreeMap<PortNumber, NamespacedName> {
        let homes = self.gateways.iter().filter_map(|gateway| {
            let home = gateway.home.as_ref().ok()?;
            Some(home.pod_ports().map(|port| (port, gateway.name.clone())))
        });
        homes.flatten().collect()
    }

    /// The whole translation.
    pub fn finish(self) -> Translation {
        let Self { index, classes, gateways, routes, plan, settings } = self;
        let mut status = report::report(&index, &classes, &gateways, &routes, &settings.addresses);
        let unmanaged = report::unmanaged(&index, &classes, &routes);
        let remarks = gateways
            .into_iter()
            .filter_map(|gateway| Some((gateway.name.clone(), gateway.home.ok()?.remarks)))
            .filter(|(_, remarks)| *remarks != Remarks::default())
            .collect();
        programmed::program(&mut status, &plan, &remarks, &BTreeMap::new());
        Translation { plan, status: Arc::new(status), unmanaged, remarks }
    }
}

impl Translation {
    /// The status, given which of the plan's listeners could not be opened.
    pub fn status_with(
        &self,
        failures: &BTreeMap<ListenerId, Vec<BindError>>,
    ) -> Arc<StatusReport> {
        let mut status = self.status.clone();
        if !failures.is_empty() {
            programmed::program(Arc::make_mut(&mut status), &self.plan, &self.remarks, failures);
        }
        status
    }
}
