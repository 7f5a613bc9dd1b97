//! Comparison of objects with the last report.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::missing_references;
use super::object_cache::ObjectCache;
use crate::model::{
    GatewayController, ObjectKey, ObjectKind, ObjectStatus, StatusReport, Timestamp, merge_status,
};
use crate::sources::StatusUpdate;
use crate::sources::events::{Origin, Warning, new_warnings};
use crate::sources::omissions::Omissions;
use crate::sources::status_diff::add_changed_objects;
use crate::store::{Store, Write};

/// The last report, and the other state that decides which status is written.
pub(super) struct ReportComparison {
    /// The names of the controllers under which this gateway writes entries of `status.parents`.
    controllers: BTreeSet<GatewayController>,
    serves_any_controller: bool,
    update: Option<StatusUpdate>,
    omissions: Omissions,
}

/// The difference between a report and the one before.
pub(super) struct ReportChanges {
    /// The objects to compare with the report.
    pub(super) objects: BTreeSet<ObjectKey>,
    /// The objects with new references to objects that do not exist.
    pub(super) missing: Vec<(ObjectKey, Warning)>,
}

/// The write of one object's status.
pub(super) struct StatusWrite {
    pub(super) write: Write,
    /// The warnings about the object once the status is written.
    pub(super) warnings: Vec<Warning>,
}

impl ReportComparison {
    /// Creates a comparison without a report. If it serves any controller, the controllers of the
    /// reported GatewayClasses are added to the first one.
    pub(super) fn new(controller: GatewayController, serves_any_controller: bool) -> Self {
        Self {
            controllers: BTreeSet::from([controller]),
            serves_any_controller,
            update: None,
            omissions: Omissions::default(),
        }
    }

    /// Replaces the report, and returns the difference.
    pub(super) fn set_update(&mut self, update: StatusUpdate) -> ReportChanges {
        let before = self.update.take().unwrap_or_default();
        let mut missing = Vec::new();
        if self.serves_any_controller {
            // The names of earlier classes stay: routes may contain their entries.
            let classes = update.resources.gateway_classes.values();
            self.controllers.extend(classes.map(|class| class.spec.controller_name.clone()));
            missing = missing_references::find_new(&before.resources, &update.resources);
        }
        let mut objects = BTreeSet::new();
        add_changed_objects(&before, &update, &mut objects);
        self.update = Some(update);
        objects.retain(|key| self.concerns(key.kind));
        ReportChanges { objects, missing }
    }

    /// Returns `true` if there is a report, and this source writes the status of objects of the
    /// kind. No change before the first report is lost, because that report concerns all objects.
    pub(super) fn concerns(&self, kind: ObjectKind) -> bool {
        let has_status =
            matches!(kind, ObjectKind::GatewayClass | ObjectKind::Gateway | ObjectKind::TcpRoute);
        has_status && self.update.is_some()
    }

    /// Returns the write of an object's status, if the status differs from the report.
    pub(super) fn compare(
        &mut self,
        key: &ObjectKey,
        store: &Store,
        cache: &ObjectCache,
    ) -> Option<StatusWrite> {
        let update = self.update.as_ref()?;
        let store_key = cache.store_key(key)?;
        let Some(object) = store.get(&store_key) else {
            self.omissions.forget(key);
            return None;
        };
        let observed = cache.resources().get(key)?;
        // Either the watch has not reported the last change of the object, or the report was
        // computed from another version of it. The next event or report causes another comparison.
        if !cache.is_observed(&object) || update.resources.get(key)? != observed {
            return None;
        }
        let value = object.to_value();
        let live = value.get("status").unwrap_or(&Value::Null);
        let has_parents = || live["parents"].as_array().is_some_and(|known| !known.is_empty());
        let status = match reported_status(&update.status, key) {
            Some(status) => status,
            // A route that refers to no Gateway of this controller has no entry: the entries that
            // this controller wrote earlier are removed.
            None if key.kind == ObjectKind::TcpRoute && has_parents() => {
                ObjectStatus::TcpRoute(&[])
            }
            None => return None,
        };
        let is_ours = |name: &str| self.controllers.iter().any(|known| known.as_str() == name);
        let merged = merge_status(live, status, is_ours, Timestamp::now());
        self.omissions.record(key, &merged);
        if merged.status == *live {
            return None;
        }
        // The revision is a precondition.
        let metadata =
            json!({ "name": key.name, "resourceVersion": object.revision().to_string() });
        let written = json!({
            "apiVersion": value["apiVersion"],
            "kind": value["kind"],
            "metadata": metadata,
            "status": merged.status,
        });
        let warnings = new_warnings(status, live, Origin::Store);
        Some(StatusWrite { write: Write::replace_status(store_key, written), warnings })
    }

    /// Returns `true` if the problem of a warning still exists.
    pub(super) fn is_current(&self, key: &ObjectKey, warning: &Warning) -> bool {
        self.update.as_ref().is_some_and(|update| {
            let missing = missing_references::find(&update.resources, key);
            missing.as_ref() == Some(warning)
                || reported_status(&update.status, key).is_some_and(|status| {
                    new_warnings(status, &Value::Null, Origin::Store).contains(warning)
                })
        })
    }
}

/// Returns the status of an object in a report.
fn reported_status<'a>(report: &'a StatusReport, key: &ObjectKey) -> Option<ObjectStatus<'a>> {
    Some(match key.kind {
        ObjectKind::GatewayClass => {
            ObjectStatus::GatewayClass(report.gateway_classes.get(&key.name)?)
        }
        ObjectKind::Gateway => ObjectStatus::Gateway(report.gateways.get(&key.namespaced_name()?)?),
        ObjectKind::TcpRoute => {
            ObjectStatus::TcpRoute(&report.tcp_routes.get(&key.namespaced_name()?)?.parents)
        }
        _ => return None,
    })
}
