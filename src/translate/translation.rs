//! The translation of one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assignments::Assignments;
use super::attach::{self, AttachedRoute};
use super::backends::Backends;
use super::compile;
use super::gateway_classes::Classes;
use super::gateways::{self, EvaluatedGateway, EvaluatedGateways};
use super::index::Index;
use super::own_sockets::OwnSockets;
use super::programmed::{GatewayFindings, set_programmed};
use super::released;
use super::settings::Settings;
use super::status;
use super::unmanaged::Unmanaged;
use super::unserved;
use crate::model::{
    Gateway, NamespacedName, ObjectKey, Resources, ServiceRequests, StatusReport, UnservedKey,
};
use crate::plan::{BindError, ListenerId, Plan};

/// The result of [`translate`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translation {
    /// The listeners to open, and the routes of their connections.
    pub plan: Plan,
    /// The status of every object that gets one.
    pub status: Arc<StatusReport>,
    /// The Services that Gateways need; empty unless the setting is
    /// [`Addresses::Service`](super::Addresses::Service).
    pub gateway_services: Arc<ServiceRequests>,
    /// The addresses and ports that Gateways have been assigned, for the next translation.
    pub assignments: Assignments,
    /// Objects that get no status because this controller does not manage them, and the reason.
    pub unmanaged: BTreeMap<ObjectKey, Unmanaged>,
    /// Objects without effect: their kind is not served, but they refer to a managed object, the
    /// value.
    pub unserved: BTreeMap<UnservedKey, ObjectKey>,
    findings: BTreeMap<NamespacedName, GatewayFindings>,
    bind_errors: BTreeMap<ListenerId, Vec<BindError>>,
}

/// Compiles a snapshot of objects into a plan and a status, as if every listener of the plan could
/// be opened.
///
/// The same objects give the same result in any order. `previous` is the
/// [assignments](Translation::assignments) of the translation before, so that Gateways keep their
/// addresses and ports.
///
/// ```
/// use sluicegate::model::Resources;
/// use sluicegate::translate::{Assignments, Settings, translate};
///
/// let translation = translate(&Resources::new(), &Settings::default(), &Assignments::default());
/// assert!(translation.plan.listeners.is_empty());
/// ```
pub fn translate(
    resources: &Resources,
    settings: &Settings,
    previous: &Assignments,
) -> Translation {
    evaluate(resources, settings, previous).finish(BTreeMap::new())
}

/// A translation whose plan is complete, but not its status.
///
/// The status is half of the work. A caller can apply the plan first and pass the bind errors to
/// [`finish`](Self::finish), so that connections need not wait for the status; both come from the
/// same pass.
#[derive(Debug)]
pub struct Evaluation<'a> {
    index: Index<'a>,
    backends: Backends<'a>,
    classes: Classes<'a>,
    gateways: Vec<EvaluatedGateway<'a>>,
    /// The Gateways that were served until their class was deleted.
    released: Vec<(&'a NamespacedName, &'a Gateway)>,
    routes: Vec<AttachedRoute<'a>>,
    plan: Plan,
    assignments: Assignments,
    gateway_services: Arc<ServiceRequests>,
}

/// Performs the first part of [`translate`], up to the plan.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use sluicegate::model::Resources;
/// use sluicegate::translate::{Assignments, Settings, evaluate, translate};
///
/// let (resources, settings) = (Resources::new(), Settings::default());
/// let evaluation = evaluate(&resources, &settings, &Assignments::default());
/// assert!(evaluation.plan().listeners.is_empty());
/// let translation = translate(&resources, &settings, &Assignments::default());
/// assert_eq!(evaluation.finish(BTreeMap::new()), translation);
/// ```
pub fn evaluate<'a>(
    resources: &'a Resources,
    settings: &Settings,
    previous: &Assignments,
) -> Evaluation<'a> {
    let index = Index::new(resources);
    let classes = Classes::new(&index, &settings.controller);
    let EvaluatedGateways { mut gateways, mut assignments, services } =
        gateways::evaluate(&index, &classes, settings, previous);
    let released = released::list(&index, &classes, &previous.served);
    assignments.served = released::list_served(&gateways, &released);
    let mut backends = Backends::new(OwnSockets::new(&index, settings, &gateways));
    let mut routes = attach::attach(&index, &classes, &mut gateways);
    let plan = compile::compile(&index, &mut backends, &gateways, &mut routes);
    Evaluation {
        index,
        backends,
        classes,
        gateways,
        released,
        routes,
        plan,
        assignments,
        gateway_services: services.into(),
    }
}

impl Evaluation<'_> {
    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Completes the translation. `bind_errors` contains the listeners of the plan with addresses
    /// that could not be opened.
    pub fn finish(self, bind_errors: BTreeMap<ListenerId, Vec<BindError>>) -> Translation {
        let Self {
            index,
            mut backends,
            classes,
            gateways,
            released,
            routes,
            plan,
            assignments,
            gateway_services,
        } = self;
        let mut status = status::build_report(&index, &mut backends, &classes, &gateways, &routes);
        let unmanaged = status::list_unmanaged(&index, &classes, &routes);
        let unserved = unserved::list(index.resources, &unmanaged);
        let findings: BTreeMap<_, _> = gateways
            .into_iter()
            .map(|gateway| (gateway.name.clone(), GatewayFindings::new(gateway)))
            .collect();
        for (status, findings) in status.gateways.values_mut().zip(findings.values()) {
            set_programmed(status, findings, &plan, &bind_errors);
        }
        let build_released = |(name, gateway): (&NamespacedName, &Gateway)| {
            (name.clone(), released::build_status(gateway))
        };
        status.gateways.extend(released.into_iter().map(build_released));
        let status = Arc::new(status);
        Translation {
            plan,
            status,
            gateway_services,
            assignments,
            unmanaged,
            unserved,
            findings,
            bind_errors,
        }
    }
}

impl Translation {
    /// Updates the status of the Gateways whose listeners have other bind errors than before.
    pub fn set_bind_errors(&mut self, bind_errors: BTreeMap<ListenerId, Vec<BindError>>) {
        let is_changed = |id: &&ListenerId| self.bind_errors.get(*id) != bind_errors.get(*id);
        let listeners = self.bind_errors.keys().chain(bind_errors.keys());
        let gateways: Vec<_> = listeners.filter(is_changed).map(|id| id.gateway.clone()).collect();
        self.bind_errors = bind_errors;
        for name in gateways {
            let status = Arc::make_mut(&mut self.status).gateways.get_mut(&name);
            if let (Some(status), Some(findings)) = (status, self.findings.get(&name)) {
                set_programmed(status, findings, &self.plan, &self.bind_errors);
            }
        }
    }
}
