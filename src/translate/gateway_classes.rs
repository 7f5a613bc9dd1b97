//! The GatewayClasses of this controller, and so its Gateways.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::settings::Controller;
use super::unmanaged::Unmanaged;
use crate::model::{
    Gateway, GatewayClass, GatewayController, NamespacedName, ObjectName, SLUICEGATE_CONTROLLER,
};

/// The GatewayClasses that this controller serves.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    served: BTreeMap<&'a ObjectName, &'a GatewayClass>,
    /// The names under which this controller writes and removes status entries.
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

    /// Returns the classes that name this controller. Each of them gets a status.
    pub(super) fn served(&self) -> impl Iterator<Item = (&'a ObjectName, &'a GatewayClass)> + '_ {
        self.served.iter().map(|(name, class)| (*name, *class))
    }

    /// Returns the class of a Gateway of this controller.
    ///
    /// The class need not be accepted: a change of a class must not close the listeners of existing
    /// Gateways, and a replica that starts later must decide like the others.
    ///
    /// # Errors
    /// The reason why this controller does not manage the Gateway.
    pub(super) fn class_of(
        &self,
        gateway: &Gateway,
        index: &Index<'_>,
    ) -> Result<&'a GatewayClass, Unmanaged> {
        let class = &gateway.spec.gateway_class_name;
        if let Some(served) = self.served.get(class) {
            return Ok(served);
        }
        let class = class.clone();
        Err(match index.resources.gateway_classes.get(&class) {
            Some(other) => {
                let controller = other.spec.controller_name.clone();
                Unmanaged::OtherController { class, controller }
            }
            None => Unmanaged::ClassNotFound { class },
        })
    }

    /// Returns `true` if this controller owns status entries of the given controller name.
    pub(super) fn is_ours(&self, controller: &GatewayController) -> bool {
        self.controllers.contains(controller)
    }

    /// Returns the reason why a Gateway that a route refers to is not managed; `None` if it is.
    pub(super) fn find_unmanaged_parent(
        &self,
        index: &Index<'a>,
        gateway: NamespacedName,
    ) -> Option<Unmanaged> {
        let Some(object) = index.resources.gateways.get(&gateway) else {
            return Some(Unmanaged::GatewayNotFound { gateway });
        };
        let reason = Box::new(self.class_of(object, index).err()?);
        Some(Unmanaged::GatewayUnmanaged { gateway, reason })
    }
}

/// Returns `true` unless the class refers to parameters: this controller supports none, so they
/// would have no effect.
pub(super) fn is_accepted(class: &GatewayClass) -> bool {
    class.spec.parameters_ref.is_none()
}
