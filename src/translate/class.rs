//! Which GatewayClasses are ours, and so which Gateways.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::settings::Controller;
use crate::model::SLUICEGATE_CONTROLLER;
use crate::model::{Gateway, GatewayClass, GatewayController, NamespacedName, ObjectName};

#[derive(Debug)]
pub(super) struct Classes<'a> {
    served: BTreeMap<&'a ObjectName, &'a GatewayClass>,
    /// Status entries under these names are ours to write and to take away.
    controllers: BTreeSet<GatewayController>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(index: &Index<'a>, controller: &Controller) -> Self {
        let classes = index.resources.gateway_classes.iter().map(|(name, class)| (name, &**class));
        let (served, controllers) = match controller {
            Controller::Any => {
                let served: BTreeMap<_, _> = classes.collect();
                let own =
                    GatewayController::new(SLUICEGATE_CONTROLLER).expect("a domain and a path");
                let named = served.values().map(|class| class.spec.controller_name.clone());
                let controllers = named.chain([own]).collect();
                (served, controllers)
            }
            Controller::Named(name) => (
                classes.filter(|(_, class)| class.spec.controller_name == *name).collect(),
                BTreeSet::from([name.clone()]),
            ),
        };
        Self { served, controllers }
    }

    /// The classes that name a controller of ours; each gets a status.
    pub(super) fn served(&self) -> impl Iterator<Item = (&'a ObjectName, &'a GatewayClass)> + '_ {
        self.served.iter().map(|(name, class)| (*name, *class))
    }

    /// The controller under whose name a Gateway is served, or why it is left alone.
    pub(super) fn controller_of(
        &self,
        gateway: &Gateway,
        index: &Index<'_>,
    ) -> Result<&'a GatewayController, String> {
        let name = &gateway.spec.gateway_class_name;
        match self.served.get(name) {
            Some(class) if is_accepted(class) => Ok(&class.spec.controller_name),
            Some(_) => Err(format!("GatewayClass {name} is not accepted")),
            None => Err(match index.resources.gateway_classes.get(name) {
                Some(class) => format!(
                    "GatewayClass {name} belongs to controller {}, which is not served here",
                    class.spec.controller_name
                ),
                None => format!("GatewayClass {name} does not exist"),
            }),
        }
    }

    /// Whether a status entry under this name is ours.
    pub(super) fn is_ours(&self, controller: &GatewayController) -> bool {
        self.controllers.contains(controller)
    }
}

/// No parameters are supported, so a class that gives any asks for something it would not get.
pub(super) fn is_accepted(class: &GatewayClass) -> bool {
    class.spec.parameters_ref.is_none()
}

/// Why a Gateway that exists is not served, for a route that names it; `None` where it is.
pub(super) fn unserved<'a>(
    classes: &Classes<'a>,
    index: &Index<'a>,
    gateway: &NamespacedName,
) -> Option<String> {
    match index.resources.gateways.get(gateway) {
        Some(object) => {
            let why = classes.controller_of(object, index).err()?;
            Some(format!("Gateway {gateway} is not served: {why}"))
        }
        None => Some(format!("Gateway {gateway} does not exist")),
    }
}
