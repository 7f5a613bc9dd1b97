//! Events in the store.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::model::{GatewayController, ObjectKey, Timestamp, default_namespace, stable_hash};
use crate::sources::events::{RateLimit, Warning, event_name, reporting_controller};
use crate::store::{Key, Resource, Store, Write, timestamp_text};

/// Builds the writes of Events. The store deletes Events after their time to live.
#[derive(Debug)]
pub(super) struct EventRecorder {
    controller: String,
    rate_limit: RateLimit,
}

impl EventRecorder {
    pub(super) fn new(controller: &GatewayController) -> Self {
        Self { controller: reporting_controller(controller), rate_limit: RateLimit::default() }
    }

    /// Logs a warning about the object `key`, and returns the write of its Event, unless there were
    /// many of them recently. A warning that has an Event adds to the count of this Event.
    pub(super) fn record(
        &mut self,
        store: &Store,
        key: &ObjectKey,
        uid: &str,
        warning: &Warning,
    ) -> Option<Write> {
        let count = self.rate_limit.admit(key, warning, Instant::now())?;
        tracing::warn!(object = %key, reason = %warning.reason, "{}", warning.note());
        let events = store.catalog().get("", "events")?;
        Some(self.write(store, events, key, uid, warning, count))
    }

    /// Returns the write of an Event that occurred `count` times more.
    fn write(
        &self,
        store: &Store,
        events: &Resource,
        key: &ObjectKey,
        uid: &str,
        warning: &Warning,
        count: u32,
    ) -> Write {
        let note = warning.note();
        // Equal Events have the same name, also after a restart.
        let identity = [uid, key.kind.as_str(), &warning.reason, &note].join("\n");
        let name = event_name(&key.name, stable_hash(&identity));
        let namespace = key.namespace.clone().unwrap_or_else(default_namespace);
        let event_key = Key::namespaced(events, namespace.as_str(), &name);
        let now = timestamp_text(Timestamp::now());
        if let Some(known) = store.get(&event_key) {
            let mut event = known.to_value();
            event["count"] = json!(event["count"].as_u64().unwrap_or(1) + u64::from(count));
            event["lastTimestamp"] = json!(now);
            return Write::replace(event_key, event);
        }
        let mut involved = json!({
            "apiVersion": key.kind.api_version(), "kind": key.kind.as_str(),
            "name": key.name, "uid": uid,
        });
        if let Some(namespace) = &key.namespace {
            involved["namespace"] = json!(namespace);
        }
        let event: Value = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": namespace },
            "involvedObject": involved,
            "type": "Warning",
            "reason": warning.reason,
            "action": warning.action,
            "message": note,
            "count": count,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": { "component": self.controller },
            "reportingComponent": self.controller,
            "reportingInstance": "",
        });
        Write::create(events, Some(namespace.as_str()), event)
    }
}
