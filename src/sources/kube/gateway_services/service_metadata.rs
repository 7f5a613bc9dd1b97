//! The metadata of the Service of a Gateway.

use serde_json::{Value, json};

use crate::model::{
    GATEWAY_UID_LABEL, Gateway, GatewayController, Labels, MANAGED_BY, MANAGED_BY_LABEL,
    NamespaceName, NamespacedName, ObjectName, stable_hash,
};

/// The annotation that records which labels and annotations were copied from the Gateway and the
/// template. They are removed from the object when they are removed there.
const COPIED_KEYS_ANNOTATION: &str = "sluicegate.dev/set";

/// The annotations with namespace and name of the Gateway, and with the controller of its class.
/// Neither is always a valid label value.
pub(super) const GATEWAY_ANNOTATION: &str = "sluicegate.dev/gateway";
pub(super) const CONTROLLER_ANNOTATION: &str = "sluicegate.dev/controller";

/// The labels with name and namespace of the Gateway, for selectors. A long name is truncated.
const GATEWAY_NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
const GATEWAY_NAMESPACE_LABEL: &str = "sluicegate.dev/gateway-namespace";

/// The label with the class of the Gateway.
const CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";

/// The owned part of the metadata of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceMetadata {
    pub(super) name: NamespacedName,
    uid: String,
    /// The labels and annotations that every Service has.
    labels: Labels,
    annotations: Labels,
    /// The labels and annotations that are copied from the Gateway and the template.
    pub(super) copied_labels: Labels,
    pub(super) copied_annotations: Labels,
}

impl ServiceMetadata {
    /// Creates the metadata of the Service of a Gateway in `namespace`. Returns `None` if the
    /// Gateway has no `uid`: it is not an object of the cluster.
    pub(super) fn new(
        gateway: &Gateway,
        namespace: NamespaceName,
        controller: &GatewayController,
    ) -> Option<Self> {
        let metadata = &gateway.metadata;
        let uid = metadata.uid.as_deref()?;
        let labels = [
            (MANAGED_BY_LABEL, MANAGED_BY.to_owned()),
            (GATEWAY_NAME_LABEL, to_label_value(&metadata.name)),
            (GATEWAY_NAMESPACE_LABEL, metadata.namespace().to_string()),
            (GATEWAY_UID_LABEL, uid.to_owned()),
            (CLASS_LABEL, to_label_value(&gateway.spec.gateway_class_name)),
        ];
        let annotations = [
            (GATEWAY_ANNOTATION, metadata.namespaced_name().to_string()),
            (CONTROLLER_ANNOTATION, controller.as_str().to_owned()),
        ];
        let to_owned = |(key, value): (&str, String)| (key.to_owned(), value);
        Some(Self {
            name: NamespacedName { namespace, name: gateway.service_name() },
            uid: uid.to_owned(),
            labels: labels.into_iter().map(to_owned).collect(),
            annotations: annotations.into_iter().map(to_owned).collect(),
            copied_labels: Labels::new(),
            copied_annotations: Labels::new(),
        })
    }

    /// Returns `true` if two Services are those of the same Gateway.
    pub(super) fn is_of_same_gateway(&self, other: &Self) -> bool {
        self.uid == other.uid
    }

    /// Returns `true` if the live Service is that of the Gateway.
    pub(super) fn owns(&self, live: &Value) -> bool {
        let labels = &live["metadata"]["labels"];
        let uid = labels[GATEWAY_UID_LABEL].as_str();
        labels[MANAGED_BY_LABEL] == MANAGED_BY && uid.is_none_or(|uid| uid == self.uid)
    }

    /// Returns the metadata of a new object.
    pub(super) fn new_metadata(&self) -> Value {
        let mut metadata = json!({
            "namespace": self.name.namespace,
            "name": self.name.name,
        });
        self.apply_to(&mut metadata);
        metadata
    }

    /// Sets the owned fields of an object's metadata.
    pub(super) fn apply_to(&self, metadata: &mut Value) {
        let copied_before = metadata["annotations"][COPIED_KEYS_ANNOTATION].as_str();
        let copied_before: Value =
            serde_json::from_str(copied_before.unwrap_or_default()).unwrap_or_default();
        let mut labels = self.copied_labels.clone();
        labels.extend(self.labels.clone());
        update_map(&mut metadata["labels"], &copied_before["labels"], &labels);

        let mut annotations = self.copied_annotations.clone();
        annotations.extend(self.annotations.clone());
        let copied = json!({
            "annotations": self.copied_annotations.keys().collect::<Vec<_>>(),
            "labels": self.copied_labels.keys().collect::<Vec<_>>(),
        });
        if !self.copied_annotations.is_empty() || !self.copied_labels.is_empty() {
            annotations.insert(COPIED_KEYS_ANNOTATION.to_owned(), copied.to_string());
        } else if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.remove(COPIED_KEYS_ANNOTATION);
        }
        update_map(&mut metadata["annotations"], &copied_before["annotations"], &annotations);
    }
}

/// Removes the keys `before` from a map of labels or annotations, and inserts `desired`.
fn update_map(live: &mut Value, before: &Value, desired: &Labels) {
    if !live.is_object() {
        *live = json!({});
    }
    let live = live.as_object_mut().expect("it was set to a map above");
    for key in before.as_array().into_iter().flatten().filter_map(Value::as_str) {
        live.remove(key);
    }
    for (key, value) in desired {
        live.insert(key.clone(), value.as_str().into());
    }
}

/// Returns a name as the value of a label, whose length is limited: a longer name is truncated, and
/// gets a hash.
fn to_label_value(name: &ObjectName) -> String {
    const MAX_LEN: usize = 63;
    if name.as_str().len() <= MAX_LEN {
        return name.to_string();
    }
    let hash = format!("-{:08x}", stable_hash(name.as_str()) as u32);
    let truncated: String = name.as_str().chars().take(MAX_LEN - hash.len()).collect();
    truncated.trim_end_matches(['-', '.']).to_owned() + &hash
}
