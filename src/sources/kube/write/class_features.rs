//! The field `status.supportedFeatures` of GatewayClasses, which old definitions do not contain.

use serde_json::Value;

use super::pending_write::PendingWrite;
use crate::model::{ObjectKey, ObjectKind};
use crate::sources::kube::observed::{Content, Observed};

const FIELD: &str = "supportedFeatures";

/// The support of the installed definition (CRD) of GatewayClass for `status.supportedFeatures`.
///
/// The standard definitions before Gateway API 1.4 drop the field. Old experimental ones define it
/// as a list of strings and refuse the whole status. In both cases the field is left out.
#[derive(Debug, Default)]
pub(super) struct ClassFeatures {
    is_omitted: bool,
}

impl ClassFeatures {
    pub(super) fn is_omitted(&self) -> bool {
        self.is_omitted
    }

    /// Checks the object that the server stored for a write.
    pub(super) fn observe(&mut self, write: &PendingWrite, stored: Option<&Observed>) {
        let stored = stored.filter(|stored| stored.key.kind == ObjectKind::GatewayClass);
        let Some(Content::Whole { state, .. }) = stored.map(|stored| &stored.content) else {
            return;
        };
        let status: Value = serde_json::from_str(&state.status).unwrap_or_default();
        if contains_features(write) && status.get(FIELD).is_none() {
            self.omit("drops");
        }
    }

    /// Leaves the field out if the server refused a status with it as invalid. Returns `true` if
    /// the status must be written again.
    pub(super) fn omit_if_invalid(
        &mut self,
        key: &ObjectKey,
        write: &PendingWrite,
        error: &kube::Error,
    ) -> bool {
        let is_invalid = matches!(error, kube::Error::Api(status) if status.is_invalid());
        if key.kind != ObjectKind::GatewayClass || !is_invalid || !contains_features(write) {
            return false;
        }
        self.omit("does not accept");
        true
    }

    /// Writes the field again: the definition has changed.
    pub(super) fn reset(&mut self) {
        self.is_omitted = false;
    }

    fn omit(&mut self, effect: &str) {
        self.is_omitted = true;
        tracing::warn!(
            "the installed definition of GatewayClass {effect} `status.{FIELD}`, so the status of \
             GatewayClasses is written without it; upgrade the definitions of Gateway API"
        );
    }
}

fn contains_features(write: &PendingWrite) -> bool {
    matches!(write, PendingWrite::Status { status, .. } if status.get(FIELD).is_some())
}
