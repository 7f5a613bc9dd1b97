//! Errors of writing the Services of Gateways, for the status of the Gateways.

use std::collections::BTreeMap;

use crate::model::{
    Caveat, ConditionStatus, ConditionType, GatewayStatus, MAX_MESSAGE_LEN, NamespacedName,
    ObjectKey, ObjectKind, Reason, truncate,
};
use crate::sources::kube::error_text::format_error;
use crate::sources::kube::gateway_services::DesiredService;
use crate::sources::kube::operation::WriteKind;

/// The Gateways whose Service the API server refuses to create or to update, each with a text for
/// its status: an exceeded quota, an admission webhook, or a missing permission.
///
/// A missing response does not count: the status could not be written either.
#[derive(Debug, Default)]
pub(super) struct ServiceErrors(BTreeMap<NamespacedName, String>);

impl ServiceErrors {
    /// Records that the write of an object failed. If it is the Service of a Gateway and the error
    /// is new, returns the Gateway, whose status changes.
    pub(super) fn record(
        &mut self,
        key: &ObjectKey,
        service: Option<&DesiredService>,
        write: WriteKind,
        error: &kube::Error,
    ) -> Option<ObjectKey> {
        let gateway = service?.gateway();
        if !matches!(error, kube::Error::Api(_)) {
            return None;
        }
        let error = format_error(error);
        let text = match write {
            WriteKind::Create => format!("{key} cannot be created: {error}. This is retried."),
            WriteKind::Update => format!("{key} cannot be updated: {error}. This is retried."),
            WriteKind::Status | WriteKind::Finalizers | WriteKind::Claim | WriteKind::Delete => {
                return None;
            }
        };
        let is_new = self.0.insert(gateway.clone(), text.clone()) != Some(text);
        is_new.then(|| ObjectKey::namespaced(ObjectKind::Gateway, gateway))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records that the Service of a Gateway is as it should be. If it had an error, returns the
    /// Gateway, whose status changes.
    pub(super) fn resolve(&mut self, service: Option<&DesiredService>) -> Option<ObjectKey> {
        let gateway = service?.gateway();
        self.0.remove(gateway)?;
        Some(ObjectKey::namespaced(ObjectKind::Gateway, gateway))
    }

    /// Removes the errors of Gateways that need no Service any longer.
    pub(super) fn retain(&mut self, is_needed: impl Fn(&NamespacedName) -> bool) {
        self.0.retain(|gateway, _| is_needed(gateway));
    }

    /// Adds the error of a Gateway's Service to the Programmed condition of the Gateway.
    pub(super) fn add_to(&self, gateway: &NamespacedName, status: &mut GatewayStatus) {
        let Some(error) = self.0.get(gateway) else { return };
        let mut conditions = status.conditions.iter_mut();
        let programmed =
            conditions.find(|condition| condition.condition_type == ConditionType::PROGRAMMED);
        let Some(programmed) = programmed else { return };
        let has_no_address = programmed.status == ConditionStatus::False
            && programmed.reason == Reason::ADDRESS_NOT_ASSIGNED;
        // The error is the cause of the missing address.
        let mut message = match has_no_address {
            true => error.clone(),
            false => format!("{error} {}", programmed.message),
        };
        truncate(&mut message, MAX_MESSAGE_LEN);
        programmed.message = message.into();
        programmed.caveat = Some(Caveat::ServiceRefused);
    }
}
