//! Errors of writing the Services of Gateways, for the status of the Gateways.

use std::collections::BTreeMap;

use crate::model::{
    Caveat, ConditionStatus, ConditionType, GatewayStatus, MAX_MESSAGE_LEN, NamespacedName,
    ObjectKey, Reason, truncate,
};
use crate::sources::kube::error_text::format_error;
use crate::sources::kube::operation::WriteKind;

/// The Gateways whose Service the API server refuses to create or to update, each with a text for
/// its status: an exceeded quota, an admission webhook, or a missing permission.
///
/// A server that does not respond is no error of a Service: the status could not be written either.
#[derive(Debug, Default)]
pub(super) struct ServiceErrors(BTreeMap<NamespacedName, String>);

impl ServiceErrors {
    /// Records that a write of a Gateway's Service failed. Returns `true` if the error is new.
    pub(super) fn record(
        &mut self,
        gateway: &NamespacedName,
        service: &ObjectKey,
        write: WriteKind,
        error: &kube::Error,
    ) -> bool {
        let operation = match write {
            WriteKind::Create => "created",
            WriteKind::Update => "updated",
            WriteKind::Status | WriteKind::Finalizers | WriteKind::Delete => return false,
        };
        if !matches!(error, kube::Error::Api(_)) {
            return false;
        }
        let error = format_error(error);
        let text = format!("{service} cannot be {operation}: {error}. This is retried.");
        self.0.insert(gateway.clone(), text.clone()) != Some(text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records that the Service of a Gateway is as it should be. Returns `true` if it had an error.
    pub(super) fn resolve(&mut self, gateway: &NamespacedName) -> bool {
        self.0.remove(gateway).is_some()
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
