//! [`WatchedNamespaces`]: the namespaces to watch, and those of them that are missing.

use std::collections::BTreeMap;

use crate::model::{NamespaceName, ObjectKind};

/// State of a namespace that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources::kube) enum NamespaceState {
    Active,
    /// It is being deleted. The permissions in it may be gone before its objects are.
    Terminating,
    /// It does not exist, or the namespaces are not listed yet.
    Missing,
}

/// The namespaces to watch.
#[derive(Debug)]
pub(super) struct WatchedNamespaces {
    /// The namespaces to watch; empty means all.
    states: BTreeMap<NamespaceName, NamespaceState>,
    /// Namespace of the Services of Gateways, whose Services and EndpointSlices are watched too.
    service_namespace: Option<NamespaceName>,
}

impl WatchedNamespaces {
    pub(super) fn new(
        namespaces: Vec<NamespaceName>,
        service_namespace: Option<NamespaceName>,
    ) -> Self {
        let states = namespaces.into_iter().map(|namespace| (namespace, NamespaceState::Missing));
        Self { states: states.collect(), service_namespace }
    }

    /// Returns the namespaces in which a kind is watched now; `None` stands for all.
    pub(super) fn of_kind(&self, kind: ObjectKind) -> Vec<Option<NamespaceName>> {
        if !kind.is_namespaced() || self.states.is_empty() {
            return vec![None];
        }
        let exists = |(namespace, state): &(&NamespaceName, &NamespaceState)| {
            **state != NamespaceState::Missing && !self.has_gateway_services(kind, namespace)
        };
        let existing = self.states.iter().filter(exists).map(|(namespace, _)| namespace);
        let is_needed = |namespace: &&NamespaceName| self.has_gateway_services(kind, namespace);
        let of_services = self.service_namespace.iter().filter(is_needed);
        existing.chain(of_services).cloned().map(Some).collect()
    }

    /// Returns `true` if the Services of Gateways or their EndpointSlices are among the objects of
    /// a kind in a namespace.
    pub(super) fn has_gateway_services(&self, kind: ObjectKind, namespace: &NamespaceName) -> bool {
        matches!(kind, ObjectKind::Service | ObjectKind::EndpointSlice)
            && self.service_namespace.as_ref() == Some(namespace)
    }

    /// Returns the namespace of the Services of Gateways.
    pub(super) fn service_namespace(&self) -> Option<&NamespaceName> {
        self.service_namespace.as_ref()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &NamespaceName> {
        self.states.keys()
    }

    /// Sets the state of a namespace. Returns `true` if it was created or deleted.
    pub(super) fn set(&mut self, namespace: &NamespaceName, state: NamespaceState) -> bool {
        let Some(known) = self.states.get_mut(namespace) else { return false };
        let is_missing = |state| state == NamespaceState::Missing;
        let before = std::mem::replace(known, state);
        is_missing(before) != is_missing(state)
    }

    pub(super) fn is_terminating(&self, namespace: &NamespaceName) -> bool {
        self.states.get(namespace) == Some(&NamespaceState::Terminating)
    }

    /// Returns the problem to report if namespaces are missing.
    pub(super) fn problem(&self) -> Option<String> {
        let is_missing =
            |(_, state): &(&NamespaceName, &NamespaceState)| **state == NamespaceState::Missing;
        let missing: Vec<_> = self
            .states
            .iter()
            .filter(is_missing)
            .map(|(namespace, _)| namespace.as_str())
            .collect();
        (!missing.is_empty()).then(|| {
            format!(
                "these watched namespaces do not exist: {}; each is watched when it is created (no restart is needed)",
                missing.join(", ")
            )
        })
    }
}
